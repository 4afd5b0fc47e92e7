{{- /*
List lines: the container of PostgreSQL's programs, which know the database and no more: its settings and what
`mlflow.env` says to libpq, whose variables begin with PG. Takes (dict "ctx" $ "resources" (dict ...)), with "stays"
true for an init container that runs as long as its pod.
*/}}
{{- define "mlflow.postgres" -}}
{{- $database := include "mlflow.database" .ctx | fromJson -}}
{{- $plain := merge (dict "HOME" "/tmp") $database.libpq -}}
{{- $given := dict -}}
{{- range $name, $value := .ctx.Values.mlflow.env -}}
{{- if hasPrefix "PG" $name }}{{ $_ := set $given $name $value }}{{ end -}}
{{- end -}}
- name: postgres
  {{- if .stays }}
  restartPolicy: Always
  {{- end }}
  image: {{ include "mlflow.image" (dict "ctx" .ctx "image" .ctx.Values.backup.image) | quote }}
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
    {{- $entries := dict "secrets" $database.secrets "plain" $plain "given" $given }}
    {{- include "mlflow.env.entries" $entries | trim | nindent 4 }}
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .ctx.Values.containerSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: exchange
      mountPath: /tmp
    - name: exchange
      mountPath: /exchange
    {{- include "mlflow.volumeMounts" (dict "ctx" .ctx "files" $database.files) | nindent 4 }}
{{- end }}
