{{- /* Mapping lines: nothing calls home, nothing is written outside /tmp. */}}
{{- define "mlflow.env.hardened" -}}
DO_NOT_TRACK: true
HOME: /tmp
MLFLOW_DISABLE_TELEMETRY: true
MLFLOW_ENABLE_AI_GATEWAY: false
MLFLOW_MODEL_CATALOG_URI: ""
PYTHONDONTWRITEBYTECODE: 1
PYTHONUNBUFFERED: 1
{{- end }}

{{- /* Mapping lines: how the server listens and starts. Takes `.`. */}}
{{- define "mlflow.env.server" -}}
MLFLOW_HOST: 0.0.0.0
MLFLOW_KUBERNETES_ACCESS_LOG: {{ .Values.mlflow.log.access | quote }}
MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT: {{ sub (sub .Values.terminationGracePeriodSeconds .Values.preStopSeconds) 5 | int }}
MLFLOW_KUBERNETES_LAUNCHER: {{ .Values.mlflow.launcher | quote }}
MLFLOW_KUBERNETES_LOG_FORMAT: {{ .Values.mlflow.log.format | quote }}
MLFLOW_KUBERNETES_MAX_BODY_MIB: {{ int .Values.mlflow.maxRequestBodyMiB }}
MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS: 600
MLFLOW_KUBERNETES_THREADS: {{ int .Values.mlflow.threads }}
MLFLOW_LOGGING_LEVEL: {{ upper .Values.mlflow.log.level | quote }}
MLFLOW_PORT: 5000
MLFLOW_SERVER_ALLOWED_HOSTS: {{ include "mlflow.allowedHosts" . | quote }}
MLFLOW_WORKERS: {{ int .Values.mlflow.workers }}
{{- with .Values.artifactStore.allowedSources }}
MLFLOW_KUBERNETES_ALLOWED_SOURCES: {{ join "," . | quote }}
{{- end }}
{{- with include "mlflow.corsOrigins" . }}
MLFLOW_SERVER_CORS_ALLOWED_ORIGINS: {{ . | quote }}
{{- end }}
{{- with .Values.mlflow.staticPrefix }}
MLFLOW_STATIC_PREFIX: {{ . | quote }}
{{- end }}
{{- end }}

{{- /*
List lines: the environment of what runs MLflow. Entries with a source come first: MLFLOW_SERVER_ALLOWED_HOSTS
refers to $(POD_IP). The rest is sorted; `mlflow.env` wins. The role decides which Secrets a container reads beside the
database's. Takes (dict "ctx" $ "role" "server").
*/}}
{{- define "mlflow.env" -}}
{{- $ctx := .ctx -}}
{{- $migration := ternary "backups" "artifacts" (eq (include "mlflow.schema.backup" $ctx) "true") -}}
{{- $roles := dict
      "server" (list "artifacts" "login" "keys")
      "jobs" (list "artifacts" "keys")
      "schema" (list $migration)
      "metrics" (list "artifacts")
      "retention" (list "artifacts")
      "backup" (list "backups")
      "restore" (list "backups") -}}
{{- $reads := get $roles .role | required (printf "mlflow.env: no role %q" .role) -}}
{{- $backs := has "backups" $reads -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- include "mlflow.backendStore.secretEnv" $ctx }}
{{- include (ternary "mlflow.backup.secretEnv" "mlflow.artifactStore.secretEnv" $backs) $ctx }}
{{- if has "login" $reads }}
{{- include "mlflow.auth.secretEnv" $ctx }}
{{- end }}
{{- if has "keys" $reads }}
{{- include "mlflow.keys.secretEnv" $ctx }}
{{- end }}
{{- $plain := dict -}}
{{- if eq .role "jobs" }}{{ $plain = include "mlflow.jobs.runnerEnv" $ctx | fromYaml }}{{ end -}}
{{- $client := ternary "mlflow.backup.clientEnv" "mlflow.artifactStore.clientEnv" $backs -}}
{{- range list "mlflow.env.hardened" "mlflow.env.server" "mlflow.backendStore.env" "mlflow.artifactStore.env" $client
      "mlflow.metrics.env" "mlflow.auth.env" "mlflow.jobs.env" -}}
{{- $plain = merge $plain (include . $ctx | fromYaml) -}}
{{- end -}}
{{- $own := and $backs (eq (include "mlflow.backup.own" $ctx) "true") -}}
{{- $foreign := ternary (include "mlflow.env.identity" .) "^$" $own -}}
{{- range $name, $value := $ctx.Values.mlflow.env -}}
{{- if not (regexMatch $foreign $name) }}{{ $_ := set $plain $name $value }}{{ end -}}
{{- end -}}
{{- include "mlflow.env.entries" $plain }}
{{- end }}

{{- /*
List lines: `mlflow.envFrom`. Its Secrets may hold the server's credentials of the store, so a pod that has the backups'
takes its ConfigMaps only. Takes (dict "ctx" $ "role" "server").
*/}}
{{- define "mlflow.envFrom" -}}
{{- $ctx := .ctx -}}
{{- $own := and (has .role (list "backup" "restore")) (include "mlflow.backup.own" $ctx) -}}
{{- range $ctx.Values.mlflow.envFrom }}{{ if not (and $own .secretRef) }}
- {{ toJson . }}
{{- end }}{{ end }}
{{- end }}

{{- /*
String: pattern of the variables that tell a cloud's library who it is; in `mlflow.env` they are the server's.
*/}}
{{- define "mlflow.env.identity" -}}
^(AWS_((DEFAULT_)?PROFILE|SHARED_CREDENTIALS_FILE|CONFIG_FILE|ROLE_.*|WEB_IDENTITY_.*|CONTAINER_.*)|AZURE_.*)$
{{- end }}
