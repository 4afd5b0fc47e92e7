{{- /* List lines: volumes of a pod that runs MLflow. Takes `.`. */}}
{{- define "mlflow.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit }}
- name: files
  configMap:
    name: {{ include "mlflow.files.name" . }}
{{- if include "mlflow.volume.enabled" . }}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "mlflow.claimName" . }}
{{- end }}
{{- with .Values.backendStore.postgres }}
{{- if and .enabled .sslRootCertFromSecret.enabled }}
- name: postgres-ca
  secret:
    secretName: {{ .sslRootCertFromSecret.name }}
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
- name: files
  mountPath: /opt/mlflow-kubernetes
  readOnly: true
{{- if include "mlflow.volume.enabled" . }}
- name: data
  mountPath: /mlflow
{{- end }}
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
