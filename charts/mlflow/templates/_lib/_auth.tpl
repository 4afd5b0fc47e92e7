{{- /* Predicate: the server asks for an account. Takes `.`. */}}
{{- define "mlflow.auth.enabled" -}}
{{- if eq .Values.auth.mode "basic" }}true{{ end -}}
{{- end }}

{{- /* Mapping lines: environment of MLflow's basic-auth, without secrets. Takes `.`. */}}
{{- define "mlflow.auth.env" -}}
{{- if include "mlflow.auth.enabled" . -}}
MLFLOW_KUBERNETES_APP_NAME: basic-auth
MLFLOW_KUBERNETES_AUTH_PERMISSION: {{ .Values.auth.basic.defaultPermission | quote }}
{{- end }}
{{- end }}

{{- /* List lines: the administrator's account, as the server reads it. Takes `.`. */}}
{{- define "mlflow.auth.secretEnv" -}}
{{- if include "mlflow.auth.enabled" . }}
{{- with .Values.auth.basic.adminFromSecret }}
{{ include "mlflow.envFromSecret" (dict "variable" "MLFLOW_AUTH_ADMIN_USERNAME" "secret" .name "key" .usernameKey) }}
{{ include "mlflow.envFromSecret" (dict "variable" "MLFLOW_AUTH_ADMIN_PASSWORD" "secret" .name "key" .passwordKey) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* List lines: the same account, for a pod that is a client of the server. Takes `.`. */}}
{{- define "mlflow.auth.clientEnv" -}}
{{- if include "mlflow.auth.enabled" . }}
{{- with .Values.auth.basic.adminFromSecret }}
{{ include "mlflow.envFromSecret" (dict "variable" "MLFLOW_TRACKING_USERNAME" "secret" .name "key" .usernameKey) }}
{{ include "mlflow.envFromSecret" (dict "variable" "MLFLOW_TRACKING_PASSWORD" "secret" .name "key" .passwordKey) }}
{{- end }}
{{- end }}
{{- end }}
