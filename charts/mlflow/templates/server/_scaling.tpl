{{- /* String: how many server pods one can rely on. Takes `.`. */}}
{{- define "mlflow.pods.least" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled | int -}}
{{- end }}

{{- /* Predicate: the release asks that evictions leave server pods, and has one to spare. Takes `.`. */}}
{{- define "mlflow.disruption.limited" -}}
{{- if and .Values.podDisruptionBudget.enabled (gt (int (include "mlflow.pods.least" .)) 1) }}true{{ end -}}
{{- end }}

{{- /*
String: how many of some pods a number or a percentage means. Kubernetes rounds percentages up. Takes (dict "value"
"25%" "pods" 4).
*/}}
{{- define "mlflow.pods.of" -}}
{{- $value := toString .value -}}
{{- if hasSuffix "%" $value -}}
{{- divf (mul (trimSuffix "%" $value | int) .pods) 100 | ceil | int -}}
{{- else -}}
{{- int $value -}}
{{- end -}}
{{- end }}

{{- /*
List lines: what the autoscaler looks at. Of the server's container alone, so that containers beside it
neither hide its load nor need requests of their own. Takes `.`.
*/}}
{{- define "mlflow.autoscaling.metrics" -}}
{{- with .Values.autoscaling }}
{{- range $name, $percent := dict "cpu" .targetCPUUtilizationPercentage "memory" .targetMemoryUtilizationPercentage }}
{{- with int $percent }}
- type: ContainerResource
  containerResource:
    container: mlflow
    name: {{ $name | quote }}
    target:
      type: Utilization
      averageUtilization: {{ int . }}
{{- end }}
{{- end }}
{{- with .metrics }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}
