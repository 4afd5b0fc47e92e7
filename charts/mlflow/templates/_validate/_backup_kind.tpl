{{- /* Lines: a database that is backed up, and a kind of store for it. Takes `.`. */}}
{{- define "mlflow.validate.backupKind" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- if .Values.backendStore.uriFromSecret.enabled -}}
{{- include "mlflow.says" (dict
  "path" "backup.enabled"
  "wrong" "the chart cannot back up MySQL"
  "instead" "set it to false, and use mysqldump or the backups of the database service, as docs/backup.md says") -}}
{{- else if and $facts.objectStore (ne $facts.backupStore $facts.objectStore) -}}
{{- include "mlflow.says" (dict
  "path" "backup.store"
  "wrong" (printf "backups go to a store of the same kind as the artifacts, artifactStore.%s" $facts.objectStore)
  "instead" "remove it") -}}
{{- else if not (or $facts.database $facts.backupStore) -}}
{{- include "mlflow.says" (dict
  "path" "backup.enabled"
  "wrong" "backups need an object store, and none is set"
  "instead" "set backup.store and backup.bucket too") -}}
{{- else if and $facts.database (not $facts.objectStore) -}}
{{- include "mlflow.says" (dict
  "path" "backup.enabled"
  "wrong" "backups go to the object store of the artifacts, and none is set"
  "instead" "set artifactStore.s3, .azure or .gcs too") -}}
{{- end -}}
{{- end }}

{{- /* Lines: how the volume of SQLite can be backed up. Takes `.`. */}}
{{- define "mlflow.validate.volumeBackup" -}}
{{- $backup := .Values.backup -}}
{{- range $key, $missing := dict
      "bucket" (and $backup.store (not $backup.bucket))
      "storageAccount" (and (eq $backup.store "azure") (not $backup.storageAccount)) -}}
{{- if and $missing (not (include "mlflow.facts" $ | fromJson).objectStore) -}}
{{- include "mlflow.says" (dict
  "path" (printf "backup.%s" $key)
  "wrong" "is empty, and the artifacts on the volume give no default"
  "instead" "set the one for the backups") -}}
{{- end -}}
{{- end -}}
{{- if has "ReadWriteOncePod" .Values.persistence.accessModes -}}
{{- include "mlflow.says" (dict
  "path" "persistence.accessModes"
  "wrong" "ReadWriteOncePod keeps the pod of a backup from mounting the volume"
  "instead" "set ReadWriteOnce, or backup.enabled: false") -}}
{{- end -}}
{{- range $key, $set := dict "beforeMigration" $backup.beforeMigration "drill.database" $backup.drill.database -}}
{{- if $set -}}
{{- include "mlflow.says" (dict
  "path" (printf "backup.%s" $key)
  "wrong" "is for PostgreSQL, and the database is SQLite"
  "instead" "remove it") -}}
{{- end -}}
{{- end -}}
{{- end }}
