{{- /* Lines: what retention works on, and reaches from any node. Takes `.`. */}}
{{- define "mlflow.validate.retention" -}}
{{- $runs := .Values.backendStore.postgres.cleanupRunsEnabled -}}
{{- if and .Values.retention.traces.days (not (or .Values.retention.enabled $runs)) -}}
{{- include "mlflow.says" (dict
  "path" "retention.traces.days"
  "wrong" "needs the CronJob of retention"
  "instead" "set retention.enabled: true too, or 0") -}}
{{- end -}}
{{- range $path, $on := dict
      "backendStore.postgres.cleanupRunsEnabled" $runs
      "retention.enabled" .Values.retention.enabled -}}
{{- if $on -}}
{{- if not $.Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "retention works on PostgreSQL only"
  "instead" "set backendStore.postgres.enabled: true too, or remove it") -}}
{{- else if not (include "mlflow.facts" $ | fromJson).shared -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "the artifacts are on a ReadWriteOnce volume, which the Job cannot mount on another node"
  "instead" "set artifactStore.s3, or ReadWriteMany in persistence.accessModes") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: what is backed up, to where, and what a drill may overwrite. Takes `.`. */}}
{{- define "mlflow.validate.backup" -}}
{{- if .Values.backup.enabled -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $wrong := include "mlflow.validate.backupKind" . -}}
{{- if $wrong -}}
{{- $wrong -}}
{{- else -}}
{{- if not $facts.database }}{{ include "mlflow.validate.volumeBackup" . }}{{ end -}}
{{- include "mlflow.validate.backupPlace" . -}}
{{- include "mlflow.validate.backupStore" . -}}
{{- include "mlflow.validate.backupAccount" . -}}
{{- if ne .Values.auth.mode "none" -}}
{{- include "mlflow.validate.backupBucket" . -}}
{{- include "mlflow.validate.backupCredentials" . -}}
{{- end -}}
{{- end -}}
{{- if and $facts.database (eq $facts.drillDatabase .Values.backendStore.postgres.database) -}}
{{- include "mlflow.says" (dict
  "path" "backup.drill.database"
  "wrong" "is MLflow's database, which a drill would replace"
  "instead" "set another name, or remove it") -}}
{{- end -}}
{{- else if .Values.backup.drill.enabled -}}
{{- include "mlflow.says" (dict
  "path" "backup.drill.enabled"
  "wrong" "there are no backups to restore"
  "instead" "set backup.enabled: true too") -}}
{{- else if .Values.backup.beforeMigration -}}
{{- include "mlflow.says" (dict
  "path" "backup.beforeMigration"
  "wrong" "no object store for backups is set"
  "instead" "set backup.enabled: true too") -}}
{{- end -}}
{{- end }}

{{- /*
Lines: the folder of the backups is not a part of that of the artifacts, which the server lists, reads and deletes for
its users. Other folders of a bucket it reads for them too: with a login there is `mlflow.validate.backupBucket`.
Takes `.`.
*/}}
{{- define "mlflow.validate.backupPlace" -}}
{{- /* A container of Azure has one content, whichever of its two services one asks. */}}
{{- $artifacts := include "mlflow.objectStore" .Values.artifactStore | fromJson -}}
{{- $folder := $artifacts.uri | replace "abfss://" "wasbs://" | replace ".dfs." ".blob." -}}
{{- $backups := include "mlflow.backup.store" . | fromJson | include "mlflow.objectStore" | fromJson -}}
{{- if regexMatch "^/|/$|//|://" .Values.backup.path -}}
{{- include "mlflow.says" (dict
  "path" "backup.path"
  "wrong" (printf "%q has a superfluous slash" .Values.backup.path)
  "instead" "write it as backups/mlflow, without a slash at the beginning and the end") -}}
{{- else if hasPrefix (printf "%s/" $folder) (printf "%s/" $backups.uri) -}}
{{- $path := printf "artifactStore.%s.path" (include "mlflow.facts" . | fromJson).objectStore -}}
{{- include "mlflow.says" (dict
  "path" "backup.path"
  "wrong" "is in the folder of the artifacts, where MLflow's users can read and delete it"
  "instead" (printf "set %s to another folder of the bucket, or backup.bucket" $path)) -}}
{{- end -}}
{{- end }}
