{{- /*
Lines: keys that the chart does not have, each with what to set instead. Takes `.`.
*/}}
{{- define "mlflow.validate.unknown" -}}
{{- $instead := .Files.Get "validation/renamed.yaml" | fromYaml -}}
{{- range $old, $new := .Files.Get "validation/moved.yaml" | fromYaml -}}
{{- $_ := set $instead $old (printf "set %s" $new) -}}
{{- end -}}
{{- include "mlflow.unknown.below" (dict
  "at" .Values
  "known" (.Files.Get "validation/known.yaml" | fromYaml)
  "path" ""
  "instead" $instead) -}}
{{- end }}

{{- /*
Lines: such keys below one place. Takes (dict "at" values "known" part of known.yaml "path" path "instead" sentences).
*/}}
{{- define "mlflow.unknown.below" -}}
{{- $ := . -}}
{{- range $key, $value := .at -}}
{{- $list := kindIs "slice" $.at -}}
{{- $path := ternary (printf "%s[%v]" $.path $key) (printf "%s.%v" $.path $key | trimPrefix ".") $list -}}
{{- $known := get $.known (ternary "[]" (toString $key) $list) | default (get $.known "*") -}}
{{- if not $known -}}
{{- include "mlflow.unknown.key" (dict
  "path" $path
  "key" (toString $key)
  "value" $value
  "siblings" (keys $.known)
  "instead" $.instead) -}}
{{- else if and (kindIs "map" $known) (or (kindIs "map" $value) (kindIs "slice" $value)) -}}
{{- include "mlflow.unknown.below" (dict "at" $value "known" $known "path" $path "instead" $.instead) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Lines: one such key, or those below it where they have sentences of their own. The sentence of the nearest key above
counts. Takes (dict "path" path "key" its last part "value" value "siblings" known keys beside it "instead" sentences).
*/}}
{{- define "mlflow.unknown.key" -}}
{{- $ := . -}}
{{- $deeper := list -}}
{{- $instead := "" -}}
{{- range $old, $sentence := .instead -}}
{{- if hasPrefix (printf "%s." $.path) $old -}}
{{- $deeper = append $deeper $old -}}
{{- else if hasPrefix (printf "%s." $old) (printf "%s." $.path) -}}
{{- $instead = $sentence -}}
{{- end -}}
{{- end -}}
{{- if and $deeper .value (kindIs "map" .value) -}}
{{- range $key, $value := .value -}}
{{- include "mlflow.unknown.key" (dict
  "path" (printf "%s.%s" $.path $key)
  "key" $key
  "value" $value
  "siblings" list
  "instead" $.instead) -}}
{{- end -}}
{{- else -}}
{{- include "mlflow.says" (dict
  "path" .path
  "wrong" "is not a key of this chart"
  "instead" ($instead | default (include "mlflow.unknown.guess" .))) -}}
{{- end -}}
{{- end }}

{{- /* String: what to set instead of a key without a sentence. Takes what mlflow.unknown.key takes. */}}
{{- define "mlflow.unknown.guess" -}}
{{- $near := include "mlflow.nearest" (dict "word" .key "words" .siblings) -}}
{{- if $near -}}
set {{ trimSuffix .key .path }}{{ $near }}, or remove it
{{- else if and .siblings (le (len .siblings) 16) -}}
remove it, or set one of {{ sortAlpha .siblings | join ", " }}
{{- else -}}
remove it, or set a key that `helm show values` lists
{{- end -}}
{{- end }}
