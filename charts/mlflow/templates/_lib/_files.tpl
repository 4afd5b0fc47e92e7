{{- /*
JSON: the files that the pods of a component run, and for each its key in their ConfigMap, which has no slashes:
`server.gate.py` for `mlflow_kubernetes/server/gate.py`. Those are shell scripts, and what files/programs.yaml lists
for each program. A change of one file restarts only the pods that have it. Takes (dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.files" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $migration := ternary (list "schema" "backup") (list "schema") $facts.backupFirst -}}
{{- $metrics := ternary (list "metrics-workers") (list "metrics-workers" "metrics-stores") $facts.exporter -}}
{{- $programs := get (dict
      "server" (concat $migration (list "server" "query") (ternary $metrics list .ctx.Values.metrics.enabled))
      "jobs" (append $migration "jobs")
      "exporter" (list "metrics-stores")
      "retention" (list "retention")
      "backup" (list "backup" "restore" "query-backups")) .component -}}
{{- $files := dict "init.sh" "init.sh" -}}
{{- if has "backup" $programs }}{{ $_ := set $files "postgres.sh" "postgres.sh" }}{{ end -}}
{{- $known := .ctx.Files.Get "files/programs.yaml" | fromYaml -}}
{{- range $programs }}{{ range get $known . -}}
{{- $_ := set $files (printf "mlflow_kubernetes/%s" .) (replace "/" "." .) -}}
{{- end }}{{ end -}}
{{- toJson $files -}}
{{- end }}

{{- /*
Mapping lines: `data` of the component's ConfigMap. Also what its pods' checksum is made of. Takes the same.
*/}}
{{- define "mlflow.files.data" -}}
{{- $data := dict -}}
{{- range $path, $key := include "mlflow.files" . | fromJson -}}
{{- $_ := set $data $key ($.ctx.Files.Get (printf "files/%s" $path) | required
      (printf "no file %s in the chart" $path)) -}}
{{- end -}}
data:
  {{- regexReplaceAll "(?m)^ +$" (toYaml $data | nindent 2) "" }}
{{- end }}
