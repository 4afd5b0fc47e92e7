{{- /*
Mapping lines: spec of the CronJobs that back up and restore: Python with the object store, and beside it PostgreSQL's
programs; they share a folder, which is the latter's /tmp too: MLflow's holds its settings and the artifacts on their
way. With SQLite there is Python alone, and the volume. Takes (dict "ctx" $ "component" "drill" "schedule" "@daily"
"program" "restore" "arguments" (list ...)).
*/}}
{{- define "mlflow.backup.cronjob" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $pod := include "mlflow.pod" (dict "ctx" .ctx "component" .component
      "serviceAccount" $facts.backupServiceAccount) | fromJson -}}
{{- $data := include "mlflow.backup.data" (dict "ctx" .ctx "component" .component
      "affinity" $pod.spec.affinity) | fromJson -}}
{{- with $data.affinity }}{{ $_ := set $pod.spec "affinity" . }}{{ end -}}
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
              - {{ printf "%s%s" (ternary "" "volume-" $facts.database) .program | quote }}
              {{- range concat (ternary (list "--exchange=/exchange") list $facts.database) .arguments }}
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
              {{- toYaml $data.mounts | nindent 14 }}
              {{- include "mlflow.mounts" (dict "ctx" .ctx "pod" $pod "files" $reads.files) | nindent 14 }}
          {{- $resources := .ctx.Values.backup.resources }}
          {{- if $facts.database }}
          {{- include "mlflow.postgres" (dict "ctx" .ctx "pod" $pod "resources" $resources) | nindent 10 }}
          {{- end }}
        volumes:
          {{- toYaml $data.volumes | nindent 10 }}
          {{- include "mlflow.volumes" (dict "ctx" .ctx "pod" $pod "component" "backup"
                "files" $reads.files) | nindent 10 }}
{{- end }}

{{- /*
JSON: `affinity`, `volumes` and `mounts` of a pod that backs up or restores. With SQLite it needs the volume, which most
storage classes mount on one node only: so it runs on the node where a pod of the release has it. If there is none, as
during a restore, the scheduler accepts its own labels and follows the volume. A backup reads the data, a restore writes
it, a drill has none of it; all note in the folder `tasks` how they went, which the metrics container of the server
reads. /tmp is for the copy of the database. Takes (dict "ctx" $ "component" "drill" "affinity" (dict ...)).
*/}}
{{- define "mlflow.backup.data" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $affinity := default dict .affinity -}}
{{- $volumes := list (dict "name" "tmp" "emptyDir" (dict "sizeLimit" "100Mi"))
      (dict "name" "exchange" "emptyDir" (dict "sizeLimit" "100Mi")) -}}
{{- $mounts := list (dict "name" "exchange" "mountPath" "/exchange") -}}
{{- if not $facts.database -}}
{{- $volumes = list (dict "name" "tmp" "emptyDir" (dict "sizeLimit" .ctx.Values.tmp.sizeLimit))
      (dict "name" "data" "persistentVolumeClaim" (dict "claimName" $facts.claim)) -}}
{{- $all := dict "name" "data" "mountPath" "/mlflow" -}}
{{- $tasks := dict "name" "data" "mountPath" "/mlflow/tasks" "subPath" "tasks" -}}
{{- $mounts = get (dict
      "backup" (list (merge (dict "readOnly" true) $all) $tasks)
      "restore" (list $all)
      "drill" (list $tasks)) .component -}}
{{- end -}}
{{- if not (or $facts.database (has "ReadWriteMany" .ctx.Values.persistence.accessModes)) -}}
{{- $selector := include "mlflow.labels" (dict "ctx" .ctx "of" "selector") | fromJson -}}
{{- $holders := dict "key" "app.kubernetes.io/component" "operator" "In"
      "values" (list "server" "backup" "restore" "drill") -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname"
      "labelSelector" (dict "matchLabels" $selector "matchExpressions" (list $holders)) -}}
{{- $pods := default dict $affinity.podAffinity -}}
{{- $required := "requiredDuringSchedulingIgnoredDuringExecution" -}}
{{- $_ := set $pods $required (append (get $pods $required | default list) $term) -}}
{{- $_ := set $affinity "podAffinity" $pods -}}
{{- end -}}
{{- dict "affinity" $affinity "volumes" $volumes "mounts" $mounts | toJson -}}
{{- end }}
