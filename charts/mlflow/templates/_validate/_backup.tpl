{{- /* Lines: settings of the backups' store that fit its kind, and reach it. Takes `.`. */}}
{{- define "mlflow.validate.backupStore" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $backup := .Values.backup -}}
{{- $kind := $facts.backupStore -}}
{{- range $key, $kinds := dict "region" (list "s3") "endpoint" (list "s3" "azure") "storageAccount" (list "azure") -}}
{{- if and (get $backup $key) (not (has $kind $kinds)) -}}
{{- include "mlflow.says" (dict
  "path" (printf "backup.%s" $key)
  "wrong" (printf "is not for the store of these backups, %s" $kind)
  "instead" "remove it") -}}
{{- end -}}
{{- end -}}
{{- $url := printf "^https?://(\\[[^]]+]|[^/:;\\s]+)(:[0-9]+)?%s/?$" (ternary "(/[a-z0-9]+)?" "" (eq $kind "azure")) -}}
{{- $store := include "mlflow.backup.store" . | fromJson -}}
{{- $keyless := and (eq $kind "azure") (not $store.azure.credentialsFromSecret.enabled) -}}
{{- if and $backup.endpoint (not (regexMatch $url $backup.endpoint)) -}}
{{- include "mlflow.says" (dict
  "path" "backup.endpoint"
  "wrong" (printf "%q is not the URL of a service" $backup.endpoint)
  "instead" "write it as https://s3.example.com, without a path") -}}
{{- else if and $backup.endpoint $keyless -}}
{{- include "mlflow.says" (dict
  "path" "backup.endpoint"
  "wrong" "needs an account key in Azure"
  "instead" "set backup.credentialsFromSecret too, or remove it") -}}
{{- end -}}
{{- if and $facts.otherAccount .Values.artifactStore.azure.credentialsFromSecret.enabled (not $facts.backupOwn) -}}
{{- include "mlflow.says" (dict
  "path" "backup.storageAccount"
  "wrong" (printf "the account key of %s does not open %s" .Values.artifactStore.azure.storageAccount
        $backup.storageAccount)
  "instead" "set backup.credentialsFromSecret, or backup.serviceAccount") -}}
{{- end -}}
{{- if $backup.credentialsFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (dict
  "path" "backup.credentialsFromSecret.name"
  "name" $backup.credentialsFromSecret.name) -}}
{{- end -}}
{{- end }}

{{- /* Lines: a ServiceAccount for backups, where a pod can have it. Takes `.`. */}}
{{- define "mlflow.validate.backupAccount" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $backup := .Values.backup -}}
{{- with $backup.serviceAccount -}}
{{- $name := $facts.backupServiceAccount -}}
{{- if and (not .create) (or .annotations .labels) -}}
{{- include "mlflow.says" (dict
  "path" "backup.serviceAccount.create"
  "wrong" "is false, so annotations and labels have no effect"
  "instead" "set them on your ServiceAccount and remove them here, or set it to true") -}}
{{- else if and .create (eq $name $facts.serviceAccount) -}}
{{- include "mlflow.says" (dict
  "path" "backup.serviceAccount.name"
  "wrong" (printf "%q is the ServiceAccount of the server" $name)
  "instead" "choose another name") -}}
{{- else if and $backup.beforeMigration (not $backup.credentialsFromSecret.enabled) $facts.backupOwn -}}
{{- include "mlflow.says" (dict
  "path" "backup.beforeMigration"
  "wrong" "runs in a pod of the server, which cannot have backup.serviceAccount"
  "instead" "set backup.credentialsFromSecret, or beforeMigration: false and make a backup before each upgrade") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Lines: with a login, backups are in another bucket, for the server reads an address of its store that the source of a
model version names. The policy of the store says which buckets its credentials open, and few policies distinguish
folders. Takes `.`.
*/}}
{{- define "mlflow.validate.backupBucket" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $kind := $facts.backupStore -}}
{{- $artifacts := get .Values.artifactStore $kind | default dict -}}
{{- $backups := get (include "mlflow.backup.store" . | fromJson) $kind | default dict -}}
{{- $noun := ternary "container" "bucket" (eq $kind "azure") -}}
{{- $one := eq (get $artifacts $noun | lower) (get $backups $noun | lower) -}}
{{- if and (eq $kind "azure") $artifacts.credentialsFromSecret.enabled (not $facts.otherAccount) -}}
{{- include "mlflow.says" (dict
  "path" "backup.storageAccount"
  "wrong" "is that of the artifacts, whose account key opens every container"
  "instead" "set another storage account and backup.credentialsFromSecret") -}}
{{- else if and $one (not $facts.otherAccount) -}}
{{- include "mlflow.says" (dict
  "path" "backup.bucket"
  "wrong" (printf "is the %s of the artifacts, which accounts can read through the server" $noun)
  "instead" (printf "set another %s, to which the server's credentials have no access" $noun)) -}}
{{- end -}}
{{- end }}

{{- /* Lines: with a login, backups share neither a Secret nor an identity with the server. Takes `.`. */}}
{{- define "mlflow.validate.backupCredentials" -}}
{{- $backup := .Values.backup -}}
{{- $name := $backup.credentialsFromSecret.name -}}
{{- $server := merge (include "mlflow.secrets" (dict "ctx" . "server" true) | fromJson)
      (include "mlflow.secrets.mentioned" . | fromJson) -}}
{{- if not (include "mlflow.facts" . | fromJson).backupOwn -}}
{{- include "mlflow.says" (dict
  "path" "backup.credentialsFromSecret"
  "wrong" "is not enabled, so accounts could read the backups with the server's credentials"
  "instead" "set backup.credentialsFromSecret, or backup.serviceAccount with another role") -}}
{{- else if and $backup.credentialsFromSecret.enabled (hasKey $server $name) -}}
{{- include "mlflow.says" (dict
  "path" "backup.credentialsFromSecret.name"
  "wrong" (printf "Secret %q is also used by the server" $name)
  "instead" "set a Secret that only holds the credentials of the backups") -}}
{{- else if not $backup.credentialsFromSecret.enabled -}}
{{- range $key := list "eks.amazonaws.com/role-arn" "azure.workload.identity/client-id"
      "iam.gke.io/gcp-service-account" -}}
{{- $role := get $backup.serviceAccount.annotations $key -}}
{{- if and $role (eq $role (get $.Values.serviceAccount.annotations $key)) -}}
{{- include "mlflow.says" (dict
  "path" "backup.serviceAccount.annotations"
  "wrong" (printf "%s is also the role of the server" $role)
  "instead" "set another role, which alone may read the backups") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
