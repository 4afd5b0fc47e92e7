{{- /* String: the application's name, for labels. Takes `.`. */}}
{{- define "mlflow.appName" -}}
{{- default .Chart.Name .Values.nameOverride -}}
{{- end }}

{{- /* String: the name of the server's objects, `mlflow` for release `mlflow`. Takes `.`. */}}
{{- define "mlflow.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "mlflow.appName" .) .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "mlflow.appName" .) | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- /*
String: the name of a secondary object, `mlflow-files`. Takes (dict "ctx" $ "suffix" "files").
Full names end at 53 characters, so a suffix has 9 of the 63 that DNS allows.
*/}}
{{- define "mlflow.nameWith" -}}
{{- if gt (len .suffix) 9 }}{{ fail (printf "mlflow.nameWith: suffix %q is longer than 9" .suffix) }}{{ end -}}
{{- printf "%s-%s" (include "mlflow.fullname" .ctx) .suffix -}}
{{- end }}

{{- /* String: the ServiceAccount of the pods. Takes `.`. */}}
{{- define "mlflow.serviceAccountName" -}}
{{- $made := ternary (include "mlflow.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $made .Values.serviceAccount.name -}}
{{- end }}

{{- /* String: the claim that holds what is not in a shared store. Takes `.`. */}}
{{- define "mlflow.claimName" -}}
{{- default (include "mlflow.fullname" .) .Values.persistence.existingClaim -}}
{{- end }}
