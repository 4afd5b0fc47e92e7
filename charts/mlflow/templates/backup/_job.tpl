{{- /*
Mapping lines: spec of the CronJobs that back up and restore: Python with the object store, and beside it PostgreSQL's
programs; they share a folder, which is the latter's /tmp too: MLflow's holds its settings and the artifacts on their
way. Takes (dict "ctx" $ "component" "drill" "schedule" "@daily" "program" "restore" "arguments" (list ...)).
*/}}
{{- define "mlflow.backup.cronjob" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $pod := include "mlflow.pod" (dict "ctx" .ctx "component" .component
      "serviceAccount" $facts.backupServiceAccount) | fromJson -}}
{{- $store := include "mlflow.backup.store" .ctx | fromJson -}}
{{- $reads := include "mlflow.reads" (dict "ctx" .ctx "store" $store) | fromJson -}}
schedule: {{ .schedule | quote }}
concurrencyPolicy: Forbid
{{- /* Late is better than never, but not so late that it meets the next one. */}}
startingDeadlineSeconds: 3600
successfulJobsHistoryLimit: 3
failedJobsHistoryLimit: 3
jobTemplate:
  metadata:
    labels:
      {{- include "mlflow.labels" (dict "ctx" .ctx "component" .component "of" "pod") | fromJson | toYaml | nindent 6 }}
  spec:
    {{- /* A second try after a failure would only make a person wait for the news. */}}
    backoffLimit: 0
    activeDeadlineSeconds: {{ int .ctx.Values.backup.deadlineSeconds }}
    template:
      metadata:
        labels:
          {{- toYaml $pod.labels | nindent 10 }}
        {{- with $pod.podAnnotations }}
        annotations:
          {{- toYaml . | nindent 10 }}
        {{- end }}
      spec:
        {{- toYaml $pod.spec | nindent 8 }}
        restartPolicy: Never
        {{- with $pod.extraInitContainers }}
        initContainers:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        containers:
          - name: {{ .component | quote }}
            image: {{ $facts.image | quote }}
            imagePullPolicy: {{ .ctx.Values.image.pullPolicy | quote }}
            command:
              - /bin/sh
              - /opt/mlflow-kubernetes/init.sh
              - python
              - /opt/mlflow-kubernetes/mlflow_kubernetes
              - {{ .program | quote }}
              - --exchange=/exchange
              {{- range .arguments }}
              - {{ replace "$" "$$" . | quote }}
              {{- end }}
              - {{ printf "--seconds=%d" (int .ctx.Values.backup.deadlineSeconds) | quote }}
            env:
              {{- include "mlflow.env" (dict "reads" $reads "given" $pod.env) | trim | nindent 14 }}
            {{- /* Secrets of `mlflow.envFrom` may hold the server's credentials of the store. */}}
            {{- $sources := list }}
            {{- range $pod.envFrom }}
            {{- if not (and $reads.own .secretRef) }}{{ $sources = append $sources . }}{{ end }}
            {{- end }}
            {{- with $sources }}
            envFrom:
              {{- toYaml . | nindent 14 }}
            {{- end }}
            {{- with .ctx.Values.backup.resources }}
            resources:
              {{- toYaml . | nindent 14 }}
            {{- end }}
            {{- with $pod.containerSecurityContext }}
            securityContext:
              {{- toYaml . | nindent 14 }}
            {{- end }}
            volumeMounts:
              - name: tmp
                mountPath: /tmp
              - name: exchange
                mountPath: /exchange
              {{- include "mlflow.mounts" (dict "ctx" .ctx "pod" $pod "files" $reads.files) | nindent 14 }}
          {{- $resources := .ctx.Values.backup.resources }}
          {{- include "mlflow.postgres" (dict "ctx" .ctx "pod" $pod "resources" $resources) | nindent 10 }}
        volumes:
          - name: tmp
            emptyDir:
              sizeLimit: 100Mi
          - name: exchange
            emptyDir:
              sizeLimit: 100Mi
          {{- include "mlflow.volumes" (dict "ctx" .ctx "pod" $pod "component" "backup"
                "files" $reads.files) | nindent 10 }}
{{- end }}
