{{- /* List lines: keys that every server pod must have in common. Takes `.`. */}}
{{- define "mlflow.keys.secretEnv" -}}
{{- with .Values.keys.fromSecret }}
{{- if .enabled }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "MLFLOW_CRYPTO_KEK_PASSPHRASE"
  "secret" .name
  "key" .kekPassphraseKey) }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "MLFLOW_FLASK_SERVER_SECRET_KEY"
  "secret" .name
  "key" .flaskSecretKey) }}
{{ include "mlflow.envFromSecret" (dict
  "variable" "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
  "secret" .name
  "key" .webhookKey) }}
{{- end }}
{{- end }}
{{- end }}
