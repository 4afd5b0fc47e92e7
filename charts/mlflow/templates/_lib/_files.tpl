{{- /*
What the pods of each component run: the programs, whose files files/programs.yaml lists, and shell scripts. A change of
one file restarts only the pods that have it. Each helper takes (dict "ctx" $ "component" "server").
*/}}

{{- /* List lines: the programs that the component's pods run. */}}
{{- define "mlflow.files.programs" -}}
{{- $stores := include "mlflow.exporter.enabled" .ctx -}}
{{- $migrates := list "schema" -}}
{{- if include "mlflow.schema.backup" .ctx }}{{ $migrates = append $migrates "backup" }}{{ end -}}
{{- $server := concat $migrates (list "server" "query") -}}
{{- if .ctx.Values.metrics.enabled }}{{ $server = concat $server (ternary (list "metrics-workers")
      (list "metrics-workers" "metrics-stores") (eq $stores "true")) }}{{ end -}}
{{- $programs := dict "server" $server "jobs" (append $migrates "jobs") "exporter" (list "metrics-stores") "retention"
      (list "retention") "backup" (list "backup" "restore" "query-backups") -}}
{{- get $programs .component | toYaml -}}
{{- end }}

{{- /* List lines: the files of the component below files/. */}}
{{- define "mlflow.files.paths" -}}
{{- $programs := include "mlflow.files.programs" . | fromYamlArray -}}
{{- $known := .ctx.Files.Get "files/programs.yaml" | fromYaml -}}
{{- $paths := list "init.sh" -}}
{{- if has "backup" $programs }}{{ $paths = append $paths "postgres.sh" }}{{ end -}}
{{- range $programs }}{{ range get $known . }}{{ $paths = append $paths
      (printf "mlflow_kubernetes/%s" .) }}{{ end }}{{ end -}}
{{- $paths | uniq | sortAlpha | toYaml -}}
{{- end }}

{{- /* String: the key of a file in a ConfigMap, whose keys have no slashes: `server.gate.py`. Takes the path. */}}
{{- define "mlflow.files.key" -}}
{{- trimPrefix "mlflow_kubernetes/" . | replace "/" "." -}}
{{- end }}

{{- /* Mapping lines: `data` of the component's ConfigMap. Also what its pods' checksum is made of. */}}
{{- define "mlflow.files.data" -}}
{{- $data := dict -}}
{{- range include "mlflow.files.paths" . | fromYamlArray -}}
{{- $_ := set $data (include "mlflow.files.key" .) ($.ctx.Files.Get (printf "files/%s" .) | required
      (printf "no file %s in the chart" .)) -}}
{{- end -}}
data:
  {{- regexReplaceAll "(?m)^ +$" (toYaml $data | nindent 2) "" }}
{{- end }}

{{- /* List lines: the volume with these files, in folders again. */}}
{{- define "mlflow.files.volume" -}}
- name: files
  configMap:
    name: {{ include "mlflow.files.name" . | quote }}
    items:
      {{- range include "mlflow.files.paths" . | fromYamlArray }}
      - key: {{ include "mlflow.files.key" . | quote }}
        path: {{ . | quote }}
      {{- end }}
{{- end }}

{{- /* String: name of that ConfigMap, `mlflow-server`. */}}
{{- define "mlflow.files.name" -}}
{{- include "mlflow.nameWith" (dict "ctx" .ctx "suffix" .component) -}}
{{- end }}
