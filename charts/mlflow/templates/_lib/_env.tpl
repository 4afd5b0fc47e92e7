{{- /* List lines: one environment entry that reads a Secret. Takes (list variable secret key). */}}
{{- define "mlflow.envFromSecret" -}}
{{- if ne (len .) 3 }}{{ fail "mlflow.envFromSecret takes (list variable secret key)" }}{{ end -}}
- name: {{ index . 0 | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 | quote }}
      key: {{ index . 2 | quote }}
{{- end }}

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
refers to $(POD_IP). The rest is sorted; `mlflow.env` wins. Takes (list $ "server"): the login is the
server's alone, the keys are its and the jobs', and what backs up or restores has the backups' store.
*/}}
{{- define "mlflow.env" -}}
{{- $ctx := index . 0 -}}
{{- $script := index . 1 -}}
{{- $backs := eq (include "mlflow.backup.runs" .) "true" -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- include "mlflow.backendStore.secretEnv" $ctx }}
{{- include (ternary "mlflow.backup.secretEnv" "mlflow.artifactStore.secretEnv" $backs) $ctx }}
{{- if eq $script "server" }}
{{- include "mlflow.auth.secretEnv" $ctx }}
{{- end }}
{{- if has $script (list "server" "jobs") }}
{{- include "mlflow.keys.secretEnv" $ctx }}
{{- end }}
{{- $plain := dict -}}
{{- if eq $script "jobs" }}{{ $plain = include "mlflow.jobs.runnerEnv" $ctx | fromYaml }}{{ end -}}
{{- $client := ternary "mlflow.backup.clientEnv" "mlflow.artifactStore.clientEnv" $backs -}}
{{- range list "mlflow.env.hardened" "mlflow.env.server" "mlflow.backendStore.env" "mlflow.artifactStore.env" $client "mlflow.metrics.env" "mlflow.auth.env" "mlflow.jobs.env" -}}
{{- $plain = merge $plain (include . $ctx | fromYaml) -}}
{{- end -}}
{{- $foreign := ternary (include "mlflow.env.identity" .) "^$" (and $backs (eq (include "mlflow.backup.own" $ctx) "true")) -}}
{{- range $name, $value := $ctx.Values.mlflow.env -}}
{{- if not (regexMatch $foreign $name) }}{{ $_ := set $plain $name $value }}{{ end -}}
{{- end -}}
{{- include "mlflow.env.entries" $plain }}
{{- end }}

{{- /*
List lines: `mlflow.envFrom`. Its Secrets may hold the server's credentials of the store, so a pod that has the backups'
takes its ConfigMaps only. Takes (list $ "server").
*/}}
{{- define "mlflow.envFrom" -}}
{{- $ctx := index . 0 -}}
{{- $own := and (has (index . 1) (list "backup" "restore")) (include "mlflow.backup.own" $ctx) -}}
{{- range $ctx.Values.mlflow.envFrom }}{{ if not (and $own .secretRef) }}
- {{ toJson . }}
{{- end }}{{ end }}
{{- end }}

{{- /* String: pattern of the variables that tell a cloud's library who it is; in `mlflow.env` they are the server's. */}}
{{- define "mlflow.env.identity" -}}
^(AWS_((DEFAULT_)?PROFILE|SHARED_CREDENTIALS_FILE|CONFIG_FILE|ROLE_.*|WEB_IDENTITY_.*|CONTAINER_.*)|AZURE_.*)$
{{- end }}

{{- /*
String: a word in the form that Kubernetes passes on as it is: it puts a variable in for $(NAME), and one $ for $$. For
each environment entry and argument that has a part of the values in it. Takes the word.
*/}}
{{- define "mlflow.literal" -}}
{{- ternary (replace "$" "$$" (toString .)) . (regexMatch "[$][$(]" (toString .)) -}}
{{- end }}

{{- /*
List lines: environment entries, sorted by name. Two of them refer to variables; what they hold of the values is literal
or has no dollar sign. Takes a mapping of names to values.
*/}}
{{- define "mlflow.env.entries" -}}
{{- range $name, $value := . }}
{{- $refers := has $name (list "AZURE_STORAGE_CONNECTION_STRING" "MLFLOW_SERVER_ALLOWED_HOSTS") }}
- name: {{ $name | quote }}
  value: {{ ternary $value (include "mlflow.literal" $value) $refers | quote }}
{{- end }}
{{- end }}
