{{- /*
Mapping lines: spec of the Jobs that back up and restore: Python with the object store, and beside it PostgreSQL's
programs; they share a folder, which is the latter's /tmp too: MLflow's holds its settings and the artifacts on their
way. Takes (dict "ctx" $ "component" "backup" "program" "backup" "options" (list ...)).
*/}}
{{- define "mlflow.backup.job" -}}
{{- /* A second try after a failure would only make a person wait for the news. */ -}}
backoffLimit: 0
activeDeadlineSeconds: {{ int .ctx.Values.backup.deadlineSeconds }}
template:
  metadata:
    {{- include "mlflow.task.podMetadata" . | nindent 4 }}
  spec:
    {{- $account := include "mlflow.backup.serviceAccountName" .ctx }}
    {{- include "mlflow.task.pod" (dict "ctx" .ctx "serviceAccount" $account) | nindent 4 }}
    containers:
      - name: {{ .component | quote }}
        image: {{ include "mlflow.image" .ctx | quote }}
        imagePullPolicy: {{ .ctx.Values.image.pullPolicy | quote }}
        command:
          {{- $words := list "python" "/opt/mlflow-kubernetes/mlflow_kubernetes" .program "--exchange=/exchange" }}
          {{- include "mlflow.command" (dict "words" (concat $words .options)) | nindent 10 }}
        env:
          {{- include "mlflow.env" (dict "ctx" .ctx "role" .program) | nindent 10 }}
        {{- with include "mlflow.envFrom" (dict "ctx" .ctx "role" .program) | trim }}
        envFrom:
          {{- . | nindent 10 }}
        {{- end }}
        {{- with .ctx.Values.backup.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- with .ctx.Values.containerSecurityContext }}
        securityContext:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        volumeMounts:
          - name: tmp
            mountPath: /tmp
          - name: exchange
            mountPath: /exchange
          {{- include "mlflow.volumeMounts.database" .ctx | nindent 10 }}
          {{- with include "mlflow.backup.volumeMounts" .ctx | trim }}
          {{- . | nindent 10 }}
          {{- end }}
      - name: postgres
        image: {{ include "mlflow.backup.image" .ctx | quote }}
        imagePullPolicy: {{ .ctx.Values.backup.image.pullPolicy | quote }}
        command:
          {{- $words := list "/bin/sh" "/opt/mlflow-kubernetes/postgres.sh" "/exchange" }}
          {{- include "mlflow.command" (dict "words" $words) | nindent 10 }}
        env:
          {{- include "mlflow.postgres.env" .ctx | trim | nindent 10 }}
        {{- with .ctx.Values.backup.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- with .ctx.Values.containerSecurityContext }}
        securityContext:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        volumeMounts:
          - name: exchange
            mountPath: /tmp
          - name: exchange
            mountPath: /exchange
          {{- include "mlflow.volumeMounts.database" .ctx | nindent 10 }}
    volumes:
      - name: tmp
        emptyDir:
          sizeLimit: 100Mi
      {{- include "mlflow.backup.exchange" . | nindent 6 }}
      {{- include "mlflow.files.volume" (dict "ctx" .ctx "component" "backup") | nindent 6 }}
      {{- with include "mlflow.volumes.database" .ctx | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with include "mlflow.backup.volumes" .ctx | trim }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end }}

{{- /*
List lines: the environment of PostgreSQL's programs, which know the database and no more: its settings and what
`mlflow.env` says to libpq, whose variables begin with PG. Takes `.`.
*/}}
{{- define "mlflow.postgres.env" -}}
{{- include "mlflow.postgres.password" . }}
{{- $plain := include "mlflow.postgres.settings" . | fromYaml | merge (dict "HOME" "/tmp") -}}
{{- range $name, $value := .Values.mlflow.env -}}
{{- if hasPrefix "PG" $name }}{{ $_ := set $plain $name $value }}{{ end -}}
{{- end -}}
{{- include "mlflow.env.entries" $plain }}
{{- end }}
