{{- /* Lines: Secrets that the pods wait for, with their keys. Takes `.`. */}}
{{- define "mlflow.notes.secrets" -}}
{{- range $name, $keys := include "mlflow.secrets" . | fromYaml }}
{{ $name }}: {{ join ", " $keys }}
{{- end }}
{{- end }}

{{- /* String: how many server pods there are. Takes `.`. */}}
{{- define "mlflow.notes.pods" -}}
{{- include "mlflow.pods.least" . }}{{ with .Values.autoscaling }}{{ if .enabled }} to {{ int .maxReplicas }}{{ end }}{{ end -}}
{{- end }}

{{- /* Lines: legal choices that somebody may regret. Takes `.`. */}}
{{- define "mlflow.notes.risks" -}}
- no authentication: whoever reaches the Service may read and delete everything
{{- with .Values.backendStore.postgres }}
{{- if and .host (not .enabled) }}
- backendStore.postgres.host is set but backendStore.postgres.enabled is not: runs go to SQLite
{{- end }}
{{- if and .enabled (has .sslMode (list "disable" "allow" "prefer")) }}
- sslMode {{ .sslMode }}: the connection to PostgreSQL may be in clear text
{{- end }}
{{- end }}
{{- with .Values.artifactStore.s3 }}
{{- if and .bucket (not .enabled) }}
- artifactStore.s3.bucket is set but artifactStore.s3.enabled is not: artifacts go to the volume
{{- end }}
{{- if and .enabled (hasPrefix "http:" .endpoint) }}
- {{ .endpoint }}: artifacts and their keys' signatures travel in clear text
{{- end }}
{{- end }}
{{- if not (include "mlflow.shared.enabled" .) }}
- one pod on one volume: each upgrade is a short outage
{{- end }}
{{- if has "*" .Values.mlflow.allowedHosts }}
- allowedHosts has "*": no protection from DNS rebinding
{{- end }}
{{- if not (and .Values.podSecurityContext.runAsNonRoot .Values.containerSecurityContext.readOnlyRootFilesystem) }}
- the pods' security is below the chart's default
{{- end }}
{{- end }}
