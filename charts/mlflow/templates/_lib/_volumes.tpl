{{- /* List lines: volumes of a pod that runs MLflow. Takes `.`. */}}
{{- define "mlflow.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit | quote }}
{{- if .Values.metrics.enabled }}
- name: metrics
  emptyDir:
    sizeLimit: 256Mi
{{- end }}
{{- if include "mlflow.volume.enabled" . }}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "mlflow.claimName" . | quote }}
{{- end }}
{{- with include "mlflow.volumes.common" . | trim }}
{{ . }}
{{- end }}
{{- end }}

{{- /* List lines: volumes that every pod of the release may mount, on any node. Takes `.`. */}}
{{- define "mlflow.volumes.common" -}}
{{ include "mlflow.volumes.database" . }}
{{- include "mlflow.artifactStore.volumes" . }}
{{- end }}

{{- /* List lines: those of them that are not for the object store. Takes `.`. */}}
{{- define "mlflow.volumes.database" -}}
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .sslRootCertFromSecret.enabled }}
- name: postgres-ca
  secret:
    secretName: {{ .sslRootCertFromSecret.name | quote }}
    items:
      - key: {{ .sslRootCertFromSecret.key | quote }}
        path: ca.crt
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* List lines: where a container that runs MLflow mounts them. Takes `.`. */}}
{{- define "mlflow.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.metrics.enabled }}
- name: metrics
  mountPath: /metrics
{{- end }}
{{- if include "mlflow.volume.enabled" . }}
- name: data
  mountPath: /mlflow
{{- end }}
{{ include "mlflow.volumeMounts.common" . }}
{{- end }}

{{- /* List lines: where every container of the chart mounts its programs. */}}
{{- define "mlflow.volumeMounts.files" -}}
- name: files
  mountPath: /opt/mlflow-kubernetes
  readOnly: true
{{- end }}

{{- /* List lines: where a container without an object store mounts those. Takes `.`. */}}
{{- define "mlflow.volumeMounts.database" -}}
{{ include "mlflow.volumeMounts.files" . }}
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .sslRootCertFromSecret.enabled }}
- name: postgres-ca
  mountPath: /etc/mlflow/postgres
  readOnly: true
{{- end }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* List lines: where a container mounts all of them. Takes `.`. */}}
{{- define "mlflow.volumeMounts.common" -}}
{{ include "mlflow.volumeMounts.database" . }}
{{- include "mlflow.artifactStore.volumeMounts" . }}
{{- end }}
