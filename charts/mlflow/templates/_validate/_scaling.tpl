{{- /* Lines: several pods need stores that they can share. Takes `.`. */}}
{{- define "mlflow.validate.replicas" -}}
{{- $path := "replicaCount" -}}
{{- $pods := printf "%d pods" (int .Values.replicaCount) -}}
{{- $less := "replicaCount: 1" -}}
{{- if .Values.autoscaling.enabled -}}
{{- $path = "autoscaling.enabled" -}}
{{- $pods = "several pods" -}}
{{- $less = "autoscaling.enabled: false" -}}
{{- end -}}
{{- if and (or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1)) (not
      (include "mlflow.facts" . | fromJson).shared) -}}
{{- if not (include "mlflow.facts" . | fromJson).database -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%s cannot share SQLite on one volume" $pods)
  "instead" (printf "set backendStore.postgres and an artifactStore, or %s" $less)) -}}
{{- else -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%s cannot share artifacts on a ReadWriteOnce volume" $pods)
  "instead" (printf "set an artifactStore, or ReadWriteMany in persistence.accessModes, or %s" $less)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: an autoscaler that could not scale. Takes `.`. */}}
{{- define "mlflow.validate.autoscaling" -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
{{- if lt (int .maxReplicas) (int .minReplicas) -}}
{{- include "mlflow.says" (dict
  "path" "autoscaling.maxReplicas"
  "wrong" (printf "%d is less than minReplicas, %d" (int .maxReplicas) (int .minReplicas))
  "instead" "set it to minReplicas or more") -}}
{{- end -}}
{{- if not (or .targetCPUUtilizationPercentage .targetMemoryUtilizationPercentage .metrics) -}}
{{- include "mlflow.says" (dict
  "path" "autoscaling.metrics"
  "wrong" "is empty and both targets are 0, so the autoscaler has no metric"
  "instead" "set autoscaling.targetCPUUtilizationPercentage") -}}
{{- end -}}
{{- range $resource, $key := dict "cpu" "targetCPUUtilizationPercentage" "memory"
      "targetMemoryUtilizationPercentage" -}}
{{- $asked := or (dig "requests" $resource "" $.Values.mlflow.resources)
      (dig "limits" $resource "" $.Values.mlflow.resources) -}}
{{- if and (get $.Values.autoscaling $key) (not $asked) -}}
{{- include "mlflow.says" (dict
  "path" (printf "autoscaling.%s" $key)
  "wrong" (printf "is a percentage of mlflow.resources.requests.%s, which is not set" $resource)
  "instead" "set that, or 0 here") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a budget that says two things, or that no node could ever be drained with. Takes `.`. */}}
{{- define "mlflow.validate.disruption" -}}
{{- if include "mlflow.disruption.limited" . -}}
{{- $pods := int (include "mlflow.pods.least" .) -}}
{{- with .Values.podDisruptionBudget -}}
{{- $stay := toString .minAvailable -}}
{{- $go := toString .maxUnavailable -}}
{{- if and (ne $stay "") (ne $go "") -}}
{{- include "mlflow.says" (dict
  "path" "podDisruptionBudget.minAvailable"
  "wrong" (printf "%s and maxUnavailable, %s, are mutually exclusive" $stay $go)
  "instead" "keep one of them") -}}
{{- else if and (ne $go "") (eq (include "mlflow.pods.of" (dict "value" $go "pods" $pods)) "0") -}}
{{- include "mlflow.says" (dict
  "path" "podDisruptionBudget.maxUnavailable"
  "wrong" (printf "%s allows no eviction, so no node can be drained" $go)
  "instead" "set 1 or more") -}}
{{- else if and (ne $stay "") (ge (int (include "mlflow.pods.of" (dict "value" $stay "pods" $pods))) $pods) -}}
{{- include "mlflow.says" (dict
  "path" "podDisruptionBudget.minAvailable"
  "wrong" (printf "%s of %d pods allows no eviction, so no node can be drained" $stay $pods)
  "instead" "set less, or podDisruptionBudget.maxUnavailable: 1 instead") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: an update that would put two pods on a volume for one, or that no pod could start. Takes `.`. */}}
{{- define "mlflow.validate.strategy" -}}
{{- with .Values.strategy -}}
{{- if and (ne (default "RollingUpdate" .type) "Recreate") (not (include "mlflow.facts" $ | fromJson).shared) -}}
{{- include "mlflow.says" (dict
  "path" "strategy"
  "wrong" "a rolling update runs two pods at the same time, which cannot share these stores"
  "instead" "set backendStore.postgres and an artifactStore, or remove it") -}}
{{- end -}}
{{- with .rollingUpdate -}}
{{- if eq (default "" $.Values.strategy.type) "Recreate" -}}
{{- include "mlflow.says" (dict
  "path" "strategy.rollingUpdate"
  "wrong" "does not apply to strategy.type Recreate"
  "instead" "remove it, or set strategy.type: RollingUpdate") -}}
{{- else if and (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) -}}
{{- include "mlflow.says" (dict
  "path" "strategy.rollingUpdate.maxSurge"
  "wrong" (printf "%v beside maxUnavailable %v lets no update start" .maxSurge .maxUnavailable)
  "instead" "set one of them to 1 or more") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
