{{- /*
Mapping lines: whether servers take jobs. With MLflow's `executor` engine they only write them into the database, for
the runner; with its default one each server would run those that it was asked for. Takes `.`.
*/}}
{{- define "mlflow.jobs.env" -}}
MLFLOW_SERVER_ENABLE_JOB_EXECUTION: {{ .Values.jobs.enabled | quote }}
{{- if .Values.jobs.enabled }}
MLFLOW_SERVER_JOB_EXECUTION_ENGINE: executor
{{- end }}
{{- end }}

{{- /*
Mapping lines: where the runner's jobs find the server, whose gateway knows the keys of language models. Takes `.`.
*/}}
{{- define "mlflow.jobs.runnerEnv" -}}
MLFLOW_GATEWAY_URI: {{ printf "http://%s%s" (include "mlflow.fullname" .) .Values.mlflow.staticPrefix | quote }}
{{- end }}

{{- /*
Mapping lines: a probe of the runner, which leaves a mark each second. Takes (dict "name" "livenessProbe" "period"
seconds "failures" 6).
*/}}
{{- define "mlflow.jobs.probe" -}}
{{ .name }}:
  exec:
    command:
      - /bin/sh
      - -c
      - test $(($(date +%s) - $(stat -c %Y /tmp/heartbeat))) -lt 60
  periodSeconds: {{ int .period }}
  timeoutSeconds: 10
  failureThreshold: {{ int .failures }}
{{- end }}
