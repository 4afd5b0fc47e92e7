{{- /*
List lines: the container of PostgreSQL's programs, which know the database and no more: Python gives them libpq's
variables, whether they come from the values, `mlflow.env` or `mlflow.envFrom`, and no others. Takes (dict "ctx" $ "pod"
(dict ...) "resources" (dict ...)), with "stays" true for an init container that runs as long as its pod.
*/}}
{{- define "mlflow.postgres" -}}
{{- $files := (include "mlflow.database" .ctx | fromJson).files -}}
- name: postgres
  {{- if .stays }}
  restartPolicy: Always
  {{- end }}
  image: {{ (include "mlflow.facts" .ctx | fromJson).backupImage | quote }}
  imagePullPolicy: {{ .ctx.Values.backup.image.pullPolicy | quote }}
  command:
    - /bin/sh
    - /opt/mlflow-kubernetes/init.sh
    - /bin/sh
    - /opt/mlflow-kubernetes/postgres.sh
    - /exchange
    {{- if .stays }}
    - stay
    {{- end }}
  env:
    - name: HOME
      value: /tmp
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .pod.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: exchange
      mountPath: /tmp
    - name: exchange
      mountPath: /exchange
    {{- include "mlflow.mounts" (dict "ctx" .ctx "pod" .pod "files" $files) | nindent 4 }}
{{- end }}
