{{- /* JSON: words about text of another form; "{}" if it has the right one. Takes what `mlflow.schema.wrong` does. */}}
{{- define "mlflow.schema.text" -}}
{{- $instead := printf "set for example %s" (include "mlflow.schema.example" .) -}}
{{- $longest := int (default 1000000 .node.maxLength) -}}
{{- $characters := regexReplaceAll "(?s)." .at "x" | len -}}
{{- if and (not .at) .node.minLength -}}
{{- dict "wrong" "is empty" "instead" $instead | toJson -}}
{{- else if gt $characters $longest -}}
{{- dict "wrong" (printf "has %d characters, of which %d are allowed" $characters $longest)
    "instead" "set a shorter text" | toJson -}}
{{- else if and .node.pattern (not (regexMatch .node.pattern .at)) -}}
{{- dict "wrong" (printf "%q is not %s" (trunc 60 .at) .node.title) "instead" $instead | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end }}

{{- /* JSON: words about a list with too few, too many or equal entries; "{}" if it is right. */}}
{{- define "mlflow.schema.list" -}}
{{- if lt (len .at) (int .node.minItems) -}}
{{- dict "wrong" "is an empty list" "instead" "add an entry" | toJson -}}
{{- else if and .node.maxItems (gt (len .at) (int .node.maxItems)) -}}
{{- dict "wrong" (printf "has %d entries" (len .at))
    "instead" (printf "keep %d or fewer" (int .node.maxItems)) | toJson -}}
{{- else if and .node.uniqueItems (lt (uniq .at | len) (len .at)) -}}
{{- dict "wrong" "lists an entry twice" "instead" "remove one of them" | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end }}

{{- /* JSON: words about a mapping that lacks keys or has too many; "{}" if it is right. */}}
{{- define "mlflow.schema.keys" -}}
{{- $missing := list -}}
{{- range .node.required -}}
{{- if or (not (hasKey $.at .)) (kindIs "invalid" (get $.at .)) }}{{ $missing = append $missing . }}{{ end -}}
{{- end -}}
{{- if $missing -}}
{{- dict "wrong" (printf "has no %s" (join " and no " $missing)) "instead" "add it" | toJson -}}
{{- else if and .node.minProperties (lt (len .at) (int .node.minProperties)) -}}
{{- dict "wrong" "is an empty mapping" "instead" "set a key of it, or remove it" | toJson -}}
{{- else if and .node.maxProperties (gt (len .at) (int .node.maxProperties)) -}}
{{- dict "wrong" (printf "has %d keys" (len .at))
    "instead" (printf "keep %d" (int .node.maxProperties)) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end }}
