{{- /*
Nothing; it gives each key that is missing, null or wrong its default. Helm removes keys that a user sets to null, and
`--reuse-values` lacks the keys that came after the installed chart. With those of wrong values other rules can look at
all values. Takes (dict "values" .Values "defaults" values by path "wrong" paths).
*/}}
{{- define "mlflow.defaults" -}}
{{- range $path, $default := .defaults -}}
{{- $keys := splitList "." $path -}}
{{- $node := $.values -}}
{{- range initial $keys -}}
{{- if not (kindIs "map" (get $node .)) }}{{ $_ := set $node . dict }}{{ end -}}
{{- $node = get $node . -}}
{{- end -}}
{{- $key := last $keys -}}
{{- $wrong := "" -}}
{{- range $.wrong -}}
{{- $wrong = printf "%s%s" $wrong (include "mlflow.schema.related" (dict "one" $path "other" .)) -}}
{{- end -}}
{{- if or $wrong (not (hasKey $node $key)) (kindIs "invalid" (get $node $key)) -}}
{{- $_ := set $node $key $default -}}
{{- end -}}
{{- end -}}
{{- end }}
