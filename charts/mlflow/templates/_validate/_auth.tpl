{{- /* Lines: who gets in, and with whose password. Takes `.`. */}}
{{- define "mlflow.validate.auth" -}}
{{- if eq .Values.auth.mode "basic" -}}
{{- include "mlflow.validate.secretName" (dict
  "path" "auth.basic.adminFromSecret.name"
  "name" .Values.auth.basic.adminFromSecret.name) -}}
{{- else if eq .Values.auth.mode "oidc" -}}
{{- include "mlflow.validate.oidcServer" . -}}
{{- include "mlflow.validate.oidcProvider" . -}}
{{- include "mlflow.validate.oidcGroups" . -}}
{{- else if eq .Values.auth.mode "kubernetes" -}}
{{- include "mlflow.validate.kubernetesServer" . -}}
{{- if .Values.auth.kubernetes.userHeader.enabled }}{{ include "mlflow.validate.userHeader" . }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* Lines: where pods cannot do without common keys. Takes `.`. */}}
{{- define "mlflow.validate.keys" -}}
{{- $path := "keys.fromSecret" -}}
{{- $instead := "make a Secret (docs/security.md) and set keys.fromSecret" -}}
{{- with .Values.keys.fromSecret -}}
{{- if .enabled -}}
{{- include "mlflow.validate.secretName" (dict "path" (printf "%s.name" $path) "name" .name) -}}
{{- else if (include "mlflow.facts" $ | fromJson).login -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.enabled" $path)
  "wrong" (printf "is false, and auth.mode %s needs keys" $.Values.auth.mode)
  "instead" $instead) -}}
{{- else if and (or $.Values.autoscaling.enabled (gt (int $.Values.replicaCount) 1))
      (include "mlflow.facts" $ | fromJson).shared -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.enabled" $path)
  "wrong" "is false, and several pods need the same keys to decrypt each other's data"
  "instead" $instead) -}}
{{- end -}}
{{- end -}}
{{- end }}
