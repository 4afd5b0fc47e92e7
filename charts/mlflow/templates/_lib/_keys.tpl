{{- /* List lines: keys that every server pod must have in common. Takes `.`. */}}
{{- define "mlflow.keys.secretEnv" -}}
{{- with .Values.keys.fromSecret }}
{{- if .enabled }}
{{ include "mlflow.envFromSecret" (list "MLFLOW_CRYPTO_KEK_PASSPHRASE" .name .kekPassphraseKey) }}
{{ include "mlflow.envFromSecret" (list "MLFLOW_FLASK_SERVER_SECRET_KEY" .name .flaskSecretKey) }}
{{ include "mlflow.envFromSecret" (list "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" .name .webhookKey) }}
{{- end }}
{{- end }}
{{- end }}
