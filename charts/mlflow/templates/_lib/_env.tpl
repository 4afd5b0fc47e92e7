{{- /*
List lines: the environment of what runs MLflow. Entries with a source come first: MLFLOW_SERVER_ALLOWED_HOSTS
refers to $(POD_IP). The rest is sorted; `mlflow.env` wins. Takes (dict "ctx" $ "reads" (dict ...)), the latter of
`mlflow.reads`, with "more" for further variables.
*/}}
{{- define "mlflow.env" -}}
{{- $plain := merge (default dict .more) (include "mlflow.env.server" .ctx | fromJson) .reads.env -}}
{{- $given := include "mlflow.env.given" (dict "ctx" .ctx "own" .reads.own) | fromJson -}}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- include "mlflow.env.entries" (dict "secrets" .reads.secrets "plain" $plain "given" $given) }}
{{- end }}

{{- /*
JSON: `mlflow.env`, name to text or to {"valueFrom": ...}. A container with the backups' own credentials gets neither
other Secrets nor what tells a cloud's library who it is, which is the server's. Takes (dict "ctx" $ "own" false).
*/}}
{{- define "mlflow.env.given" -}}
{{- $aws := "(DEFAULT_)?PROFILE|SHARED_CREDENTIALS_FILE|CONFIG_FILE|ROLE_.*|WEB_IDENTITY_.*|CONTAINER_.*" -}}
{{- $given := dict -}}
{{- range $name, $value := .ctx.Values.mlflow.env -}}
{{- $secret := and (kindIs "map" $value) (contains "secretKeyRef" (toJson $value)) -}}
{{- $server := or $secret (regexMatch (printf "^(AWS_(%s|.*ACCESS_KEY.*)|AZURE_.*)$" $aws) $name) -}}
{{- if not (and $.own $server) }}{{ $_ := set $given $name $value }}{{ end -}}
{{- end -}}
{{- toJson $given -}}
{{- end }}

{{- /*
List lines: environment entries, those with a source first, the others sorted by name. Two of them refer to variables;
what they hold of the values is literal or has no dollar sign. Takes (dict "secrets" (list ...) "plain" (dict ...)),
with "given" (dict ...) what `mlflow.env.given` says, which wins.
*/}}
{{- define "mlflow.env.entries" -}}
{{- range .secrets }}
- name: {{ .variable | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- end }}
{{- $plain := merge (dict) .plain -}}
{{- range $name, $value := .given }}
{{- if kindIs "map" $value }}
{{- $_ := unset $plain $name }}
- name: {{ $name | quote }}
  valueFrom:
    {{- toYaml $value.valueFrom | nindent 4 }}
{{- else }}{{ $_ := set $plain $name $value }}{{ end }}
{{- end }}
{{- range $name, $value := $plain }}
{{- $refers := has $name (list "AZURE_STORAGE_CONNECTION_STRING" "MLFLOW_SERVER_ALLOWED_HOSTS") }}
- name: {{ $name | quote }}
  value: {{ ternary $value (include "mlflow.literal" $value) $refers | quote }}
{{- end }}
{{- end }}

{{- /*
String: a word in the form that Kubernetes passes on as it is: it puts a variable in for $(NAME), and one $ for $$. For
each environment entry and argument that has a part of the values in it. Takes the word.
*/}}
{{- define "mlflow.literal" -}}
{{- ternary (replace "$" "$$" (toString .)) . (regexMatch "[$][$(]" (toString .)) -}}
{{- end }}

{{- /*
JSON: plain environment of what runs MLflow: nothing calls home, nothing is written outside /tmp; how the server
listens and starts. Either it passes artifacts on, or it tells clients where to write, never half of both. With
MLflow's `executor` engine servers only write jobs into the database, for the runner; with its default one each would
run those that it was asked for. Takes `.`.
*/}}
{{- define "mlflow.env.server" -}}
{{- $hosts := include "mlflow.hosts" . | fromJson -}}
{{- $artifacts := (include "mlflow.objectStore" .Values.artifactStore | fromJson).uri -}}
{{- $stop := sub (sub .Values.terminationGracePeriodSeconds .Values.preStopSeconds) 5 -}}
{{- $env := include "mlflow.env.metrics" . | fromJson | merge (dict
      "DO_NOT_TRACK" "true"
      "HOME" "/tmp"
      "MLFLOW_DISABLE_TELEMETRY" "true"
      "MLFLOW_ENABLE_AI_GATEWAY" "false"
      "MLFLOW_HOST" "0.0.0.0"
      "MLFLOW_KUBERNETES_ACCESS_LOG" (toString .Values.mlflow.log.access)
      "MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT" (toString $stop)
      "MLFLOW_KUBERNETES_LAUNCHER" .Values.mlflow.launcher
      "MLFLOW_KUBERNETES_MAX_BODY_MIB" (int .Values.mlflow.maxRequestBodyMiB | toString)
      "MLFLOW_KUBERNETES_PRESIGNED_URLS" (include "mlflow.presignedUrls" .)
      "MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS" "600"
      "MLFLOW_KUBERNETES_THREADS" (int .Values.mlflow.threads | toString)
      "MLFLOW_LOGGING_LEVEL" (upper .Values.mlflow.log.level)
      "MLFLOW_MODEL_CATALOG_URI" ""
      "MLFLOW_SERVER_ALLOWED_HOSTS" $hosts.allowed
      "MLFLOW_SERVER_ENABLE_JOB_EXECUTION" (toString .Values.jobs.enabled)
      "MLFLOW_WORKERS" (int .Values.mlflow.workers | toString)
      "PYTHONUNBUFFERED" "1") -}}
{{- with .Values.artifactStore.allowedSources }}{{ $_ := set $env "MLFLOW_KUBERNETES_ALLOWED_SOURCES"
      (join "," .) }}{{ end -}}
{{- if eq .Values.artifactStore.mode "direct" -}}
{{- $_ := merge $env (dict "MLFLOW_DEFAULT_ARTIFACT_ROOT" $artifacts "MLFLOW_SERVE_ARTIFACTS" "false") -}}
{{- else }}{{ $_ := set $env "MLFLOW_ARTIFACTS_DESTINATION" $artifacts }}{{ end -}}
{{- if (include "mlflow.facts" . | fromJson).login -}}
{{- $_ := set $env "MLFLOW_KUBERNETES_APP_NAME" "basic-auth" -}}
{{- $_ := set $env "MLFLOW_KUBERNETES_AUTH_PERMISSION" .Values.auth.basic.defaultPermission -}}
{{- end -}}
{{- if .Values.jobs.enabled }}{{ $_ := set $env "MLFLOW_SERVER_JOB_EXECUTION_ENGINE" "executor" }}{{ end -}}
{{- with $hosts.origins }}{{ $_ := set $env "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS" (join "," .) }}{{ end -}}
{{- toJson $env -}}
{{- end }}
