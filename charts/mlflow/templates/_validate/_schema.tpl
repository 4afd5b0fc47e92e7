{{- /*
Nothing; it adds a sentence to `found.sentences`, by its path, for each value that values.schema.json forbids. Helm
would print its own words, and hide all sentences of other rules. `found.switch` becomes true if one of them decides
what other values mean. Takes (dict "at" value "node" its schema "path" path "all" (dict "definitions" schemas by name
"defaults" values by path "found" (dict "sentences" dict "switch" false))).
*/}}
{{- define "mlflow.schema.check" -}}
{{- $node := .node -}}
{{- with get $node "$ref" }}{{ $node = get $.all.definitions (trimPrefix "#/definitions/" .) }}{{ end -}}
{{- $kind := include "mlflow.schema.kind" .at -}}
{{- $sentence := trim (include "mlflow.schema.wrong" (dict
  "at" .at
  "node" $node
  "kind" $kind
  "path" .path
  "all" .all)) -}}
{{- if $sentence -}}
{{- $_ := set .all.found.sentences .path $sentence -}}
{{- if or (has "boolean" (list $node.type)) (has "object" (list $node.type)) $node.enum -}}
{{- $_ := set .all.found "switch" true -}}
{{- end -}}
{{- else if has $kind (list "object" "array") -}}
{{- range $key, $value := .at -}}
{{- $path := ternary (printf "%s[%v]" $.path $key) (printf "%s.%v" $.path $key | trimPrefix ".") (eq $kind "array") -}}
{{- $known := ternary (get $node "items") (dig "properties" (toString $key) nil $node) (eq $kind "array") -}}
{{- /* Null at a key of the chart is its default. */ -}}
{{- if and (kindIs "invalid" $value) $known (eq $kind "object") -}}
{{- else if and (hasKey $.all.defaults $path) (deepEqual $value (get $.all.defaults $path)) -}}
{{- else if or (kindIs "map" $known) (kindIs "map" $node.additionalProperties) -}}
{{- $below := ternary $known $node.additionalProperties (kindIs "map" $known) -}}
{{- include "mlflow.schema.check" (dict "at" $value "node" $below "path" $path "all" $.all) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* String: what JSON schema calls the type of a value. */}}
{{- define "mlflow.schema.kind" -}}
{{- if kindIs "invalid" . -}}
null
{{- else if kindIs "map" . -}}
object
{{- else if kindIs "slice" . -}}
array
{{- else if kindIs "bool" . -}}
boolean
{{- else if kindIs "string" . -}}
string
{{- else if eq (floor .) (float64 .) -}}
integer
{{- else -}}
number
{{- end -}}
{{- end }}

{{- /* String: "true" if one path is the other or is below it. Takes (dict "one" path "other" path). */}}
{{- define "mlflow.schema.related" -}}
{{- $one := printf "%s." (replace "[" ".[" .one) -}}
{{- $other := printf "%s." (replace "[" ".[" .other) -}}
{{- if or (hasPrefix $one $other) (hasPrefix $other $one) }}true{{ end -}}
{{- end }}
