{{- /*
Line: what is wrong with one value itself, not with those below it. Takes what `mlflow.schema.check` takes and
"kind", its type as JSON schema calls it. So do the helpers below.
*/}}
{{- define "mlflow.schema.wrong" -}}
{{- $types := kindIs "slice" .node.type | ternary .node.type (compact (list .node.type)) -}}
{{- $fits := or (not $types) (has .kind $types) (and (eq .kind "integer") (has "number" $types)) -}}
{{- $help := dict -}}
{{- if not $fits -}}
{{- $help = include "mlflow.schema.type" . | fromJson -}}
{{- else if .node.enum -}}
{{- $help = include "mlflow.schema.enum" . | fromJson -}}
{{- else if and (hasKey .node "const") (ne (float64 .at) (float64 .node.const)) -}}
{{- $help = dict "wrong" (printf "must be %v, not %v" .node.const .at) "instead" "remove it" -}}
{{- else if has .kind (list "integer" "number") -}}
{{- $help = include "mlflow.schema.number" . | fromJson -}}
{{- else if eq .kind "string" -}}
{{- $help = include "mlflow.schema.text" . | fromJson -}}
{{- else if eq .kind "array" -}}
{{- $help = include "mlflow.schema.list" . | fromJson -}}
{{- else if eq .kind "object" -}}
{{- $help = include "mlflow.schema.keys" . | fromJson -}}
{{- end -}}
{{- with $help }}{{ include "mlflow.says" (dict "path" $.path "wrong" .wrong "instead" .instead) }}{{ end -}}
{{- end }}

{{- /* JSON: words about a value of another type. One that may be a password is not repeated. */}}
{{- define "mlflow.schema.type" -}}
{{- $names := dict "array" "a list" "boolean" "true or false" "integer" "a whole number" "null" "null"
      "number" "a number" "object" "a mapping" "string" "text" -}}
{{- $types := kindIs "slice" .node.type | ternary .node.type (list .node.type) -}}
{{- $wanted := list -}}
{{- range $types }}{{ $wanted = append $wanted (get $names .) }}{{ end -}}
{{- $given := eq .kind "boolean" | ternary (toString .at) (get $names .kind) -}}
{{- $shown := not (or (has "string" $types) (has "object" $types) (has "array" $types)) -}}
{{- if and $shown (eq .kind "string") -}}
{{- $given = printf "the text %q" (trunc 60 .at) -}}
{{- else if and $shown (has .kind (list "integer" "number")) -}}
{{- $given = toString .at -}}
{{- else if eq .kind "integer" -}}
{{- $given = "a number" -}}
{{- end -}}
{{- dict "wrong" (printf "must be %s, not %s" (join " or " $wanted) $given)
    "instead" (include "mlflow.schema.type.instead" .) | toJson -}}
{{- end }}

{{- /* String: what to set instead of a value of another type. */}}
{{- define "mlflow.schema.type.instead" -}}
{{- $types := kindIs "slice" .node.type | ternary .node.type (list .node.type) -}}
{{- if or (has "integer" $types) (has "number" $types) -}}
set for example {{ include "mlflow.schema.example" . }}
{{- else if and (has "string" $types) (has .kind (list "integer" "number" "boolean")) -}}
put it in quotes
{{- else if has "boolean" $types -}}
set true or false, without quotes
{{- else if has "object" $types -}}
set keys below it, or remove it
{{- else if has "array" $types -}}
write each entry behind a '-', or remove it
{{- else -}}
remove it, or set text
{{- end -}}
{{- end }}

{{- /* JSON: words about a value that is none of a few; "{}" if it is one. */}}
{{- define "mlflow.schema.enum" -}}
{{- if has .at .node.enum -}}
{}
{{- else -}}
{{- $given := printf "a value of type %s" .kind -}}
{{- if not (has .kind (list "object" "array" "null")) }}{{ $given = toString .at | trunc 60 | quote }}{{ end -}}
{{- $words := list -}}
{{- range without .node.enum "" }}{{ $words = append $words (toString .) }}{{ end -}}
{{- dict "wrong" (printf "%s is not an allowed value" $given)
    "instead" (printf "set %s or %s%s" (initial $words | join ", ") (last $words)
      (ternary ", or remove it" "" (has "" .node.enum))) | toJson -}}
{{- end -}}
{{- end }}

{{- /* JSON: words about a number out of range; "{}" if it is in. */}}
{{- define "mlflow.schema.number" -}}
{{- $bounds := list -}}
{{- $n := .node -}}
{{- if and (hasKey $n "minimum") (lt (float64 .at) (float64 $n.minimum)) -}}
{{- $bounds = append $bounds (printf "%v or more" $n.minimum) -}}
{{- end -}}
{{- if and (hasKey $n "maximum") (gt (float64 .at) (float64 $n.maximum)) -}}
{{- $bounds = append $bounds (printf "%d or less" (int64 $n.maximum)) -}}
{{- end -}}
{{- if and (hasKey $n "exclusiveMinimum") (le (float64 .at) (float64 $n.exclusiveMinimum)) -}}
{{- $bounds = append $bounds (printf "more than %v" $n.exclusiveMinimum) -}}
{{- end -}}
{{- if and (hasKey $n "exclusiveMaximum") (ge (float64 .at) (float64 $n.exclusiveMaximum)) -}}
{{- $bounds = append $bounds (printf "less than %v" $n.exclusiveMaximum) -}}
{{- end -}}
{{- if $bounds -}}
{{- dict "wrong" (printf "must be %s, not %v" (first $bounds) .at)
    "instead" (printf "set for example %s" (include "mlflow.schema.example" .)) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end }}

{{- /* String: a value that is allowed: the chart's default, one of the schema, or the lowest number. */}}
{{- define "mlflow.schema.example" -}}
{{- $default := get .all.defaults .path -}}
{{- $examples := concat (compact (list $default)) (default list .node.examples) -}}
{{- if $examples -}}
{{ first $examples }}
{{- else if has "string" (list .node.type) -}}
a text
{{- else -}}
{{ max 1 (int .node.minimum) }}
{{- end -}}
{{- end }}
