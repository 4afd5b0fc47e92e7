{{- /*
List lines: the alerts of monitoring/alerts, with this release's names and thresholds in place of their
<placeholders>. Without a volume there is no alert for it. Takes `.`.
*/}}
{{- define "mlflow.rules" -}}
{{- $facts := dict "namespace" .Release.Namespace "claim" (include "mlflow.facts" . | fromJson).claim -}}
{{- $_ := set $facts "release" (printf "namespace=%q, job=%q" .Release.Namespace .Release.Name) -}}
{{- $facts = merge $facts .Values.prometheusRule.thresholds -}}
{{- range $path, $text := .Files.Glob "monitoring/alerts/*.yaml" -}}
{{- if or (ne (base $path) "MLflowVolumeFull.yaml") (include "mlflow.facts" $ | fromJson).claim -}}
{{- $rule := toString $text -}}
{{- range $name, $value := $facts }}{{ $rule = replace (printf "<%s>" $name) (toString $value) $rule }}{{ end -}}
{{- $rule = fromYaml $rule -}}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s/%s.md" $.Values.prometheusRule.runbookUrl $rule.alert) }}
{{ list $rule | toYaml }}
{{- end -}}
{{- end -}}
{{- end }}
