{{- /*
Lines: keys of other MLflow charts, and of habit. The schema lets them pass so that a better sentence than
"additional properties not allowed" can be said here. Takes `.`.
*/}}
{{- define "mlflow.validate.renamed" -}}
{{- range $path, $instead := .Files.Get "validation/renamed.yaml" | fromYaml -}}
{{- $found := dict "at" $.Values "there" true -}}
{{- range splitList "." $path -}}
{{- if and $found.there (kindIs "map" $found.at) (hasKey $found.at .) -}}
{{- $_ := set $found "at" (get $found.at .) -}}
{{- else -}}
{{- $_ := set $found "there" false -}}
{{- end -}}
{{- end -}}
{{- if $found.there }}{{ include "mlflow.says" (dict
  "path" $path
  "wrong" "is not a key of this chart"
  "instead" $instead) }}{{ end -}}
{{- end -}}
{{- end }}
