{{- /* String: the ServiceAccount of the pods that back up and restore. Takes `.`. */}}
{{- define "mlflow.backup.serviceAccountName" -}}
{{- $account := .Values.backup.serviceAccount -}}
{{- $made := ternary (include "mlflow.nameWith" (dict "ctx" . "suffix" "backup"))
      (include "mlflow.serviceAccountName" .) $account.create -}}
{{- default $made $account.name -}}
{{- end }}

{{- /* Predicate: backups have credentials of their own, from a Secret or by their ServiceAccount. Takes `.`. */}}
{{- define "mlflow.backup.own" -}}
{{- $account := include "mlflow.backup.serviceAccountName" . -}}
{{- if or .Values.backup.credentialsFromSecret.enabled (ne $account
      (include "mlflow.serviceAccountName" .)) }}true{{ end -}}
{{- end }}

{{- /*
Mapping lines: `Values.artifactStore` as backups have it: what `backup` says about the store takes the place of what
`artifactStore` says, so that the templates of the artifact store serve both. Takes `.`.
*/}}
{{- define "mlflow.backup.context" -}}
{{- $backup := .Values.backup -}}
{{- $stores := deepCopy .Values.artifactStore -}}
{{- $store := get $stores (include "mlflow.artifactStore.kind" .) | default dict -}}
{{- $azure := $stores.azure.enabled -}}
{{- if include "mlflow.backup.own" . -}}
{{- $key := default (ternary "AZURE_STORAGE_ACCESS_KEY" "credentials.json" $azure) $backup.credentialsFromSecret.key -}}
{{- $_ := set $store "credentialsFromSecret" (merge (dict "key" $key) $backup.credentialsFromSecret) -}}
{{- end -}}
{{- /* A private name leads to one account, and is taken with a key only. */}}
{{- if and $azure (or (include "mlflow.backup.otherAccount" .)
      (not $store.credentialsFromSecret.enabled)) }}{{ $_ := set $store "endpoint" "" }}{{ end -}}
{{- $given := dict "bucket" $backup.bucket "container" $backup.bucket "scheme" (ternary "wasbs" "" $azure) -}}
{{- range $name, $value := merge $given (pick $backup "region" "endpoint" "storageAccount") -}}
{{- if $value }}{{ $_ := set $store $name $value }}{{ end -}}
{{- end -}}
{{- dict "Values" (dict "artifactStore" $stores) | toYaml -}}
{{- end }}

{{- /* Predicate: backups are in another storage account of Azure than artifacts. Takes `.`. */}}
{{- define "mlflow.backup.otherAccount" -}}
{{- $azure := .Values.artifactStore.azure -}}
{{- if and $azure.enabled (not (has .Values.backup.storageAccount (list "" $azure.storageAccount))) }}true{{ end -}}
{{- end }}

{{- /* Mapping lines: environment of what reads and writes backups, without secrets. Takes `.`. */}}
{{- define "mlflow.backup.clientEnv" -}}
{{- $env := include "mlflow.artifactStore.clientEnv" (include "mlflow.backup.context" . | fromYaml) -}}
{{- ternary ($env | replace "/etc/mlflow/gcs/" "/etc/mlflow/backup/") $env (eq
      (include "mlflow.backup.own" .) "true") -}}
{{- end }}

{{- /* List lines: environment entries with the keys of the backups' store. Takes `.`. */}}
{{- define "mlflow.backup.secretEnv" -}}
{{- include "mlflow.artifactStore.secretEnv" (include "mlflow.backup.context" . | fromYaml) -}}
{{- end }}

{{- /* List lines: the volume with a Google service account's key for backups, if one is used. Takes `.`. */}}
{{- define "mlflow.backup.volumes" -}}
{{- $volumes := include "mlflow.artifactStore.volumes" (include "mlflow.backup.context" . | fromYaml) -}}
{{- ternary ($volumes | replace "name: gcs-" "name: backup-") $volumes (eq (include "mlflow.backup.own" .) "true") -}}
{{- end }}

{{- /* List lines: where a container mounts it. Takes `.`. */}}
{{- define "mlflow.backup.volumeMounts" -}}
{{- $mounts := include "mlflow.artifactStore.volumeMounts" (include "mlflow.backup.context" . | fromYaml) -}}
{{- $own := $mounts | replace "name: gcs-" "name: backup-" | replace "/etc/mlflow/gcs" "/etc/mlflow/backup" -}}
{{- ternary $own $mounts (eq (include "mlflow.backup.own" .) "true") -}}
{{- end }}

{{- /* List lines: the volume of the folder that both containers share. */}}
{{- define "mlflow.backup.exchange" -}}
- name: exchange
  emptyDir:
    sizeLimit: 100Mi
{{- end }}
