{{- /* Lines: settings of the backups' store that fit its kind, and reach it. Takes `.`. */}}
{{- define "mlflow.validate.backupStore" -}}
{{- $backup := .Values.backup -}}
{{- $kind := include "mlflow.artifactStore.kind" . -}}
{{- range $key, $kinds := dict "region" (list "s3") "endpoint" (list "s3" "azure") "storageAccount" (list "azure") -}}
{{- if and (get $backup $key) (not (has $kind $kinds)) -}}
{{- include "mlflow.says" (list (printf "backup.%s" $key) (printf "is not for the store of this release, artifactStore.%s" $kind) "remove it") -}}
{{- end -}}
{{- end -}}
{{- $pattern := ternary "^https?://[^/;]+(/[a-z0-9]+)?/?$" "^https?://[^/]+/?$" (eq $kind "azure") -}}
{{- $context := include "mlflow.backup.context" . | fromYaml -}}
{{- $keyless := and (eq $kind "azure") (not $context.Values.artifactStore.azure.credentialsFromSecret.enabled) -}}
{{- if and $backup.endpoint (not (regexMatch $pattern $backup.endpoint)) -}}
{{- include "mlflow.says" (list "backup.endpoint" (printf "%q is not the URL of a service" $backup.endpoint) "write it as https://s3.example.com, without a path") -}}
{{- else if and $backup.endpoint $keyless -}}
{{- include "mlflow.says" (list "backup.endpoint" "needs an account key in Azure" "set backup.credentialsFromSecret too, or remove it") -}}
{{- end -}}
{{- if and (include "mlflow.backup.otherAccount" .) .Values.artifactStore.azure.credentialsFromSecret.enabled (not (include "mlflow.backup.own" .)) -}}
{{- include "mlflow.says" (list "backup.storageAccount" (printf "the account key of %s does not open %s" .Values.artifactStore.azure.storageAccount $backup.storageAccount) "set backup.credentialsFromSecret, or backup.serviceAccount") -}}
{{- end -}}
{{- if $backup.credentialsFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (list "backup.credentialsFromSecret.name" $backup.credentialsFromSecret.name) -}}
{{- end -}}
{{- end }}

{{- /* Lines: a ServiceAccount for backups, where a pod can have it. Takes `.`. */}}
{{- define "mlflow.validate.backupAccount" -}}
{{- $backup := .Values.backup -}}
{{- with $backup.serviceAccount -}}
{{- $name := include "mlflow.backup.serviceAccountName" $ -}}
{{- if and (not .create) (or .annotations .labels) -}}
{{- include "mlflow.says" (list "backup.serviceAccount.create" "is false, so annotations and labels reach no ServiceAccount" "set them on yours and remove them here, or set it to true") -}}
{{- else if and .create (eq $name (include "mlflow.serviceAccountName" $)) -}}
{{- include "mlflow.says" (list "backup.serviceAccount.name" (printf "%q is the ServiceAccount of the server" $name) "choose another name") -}}
{{- else if and $backup.beforeMigration (not $backup.credentialsFromSecret.enabled) (include "mlflow.backup.own" $) -}}
{{- include "mlflow.says" (list "backup.beforeMigration" "runs in a pod of the server, which cannot have backup.serviceAccount" "set backup.credentialsFromSecret, or beforeMigration: false and make a backup before each upgrade") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Lines: with a login, backups are in another bucket, for the server reads an address of its store that the source of a model
version names. The policy of the store says which buckets its credentials open, and few policies tell folders apart. Takes `.`.
*/}}
{{- define "mlflow.validate.backupBucket" -}}
{{- $kind := include "mlflow.artifactStore.kind" . -}}
{{- $artifacts := get .Values.artifactStore $kind | default dict -}}
{{- $backups := get (include "mlflow.backup.context" . | fromYaml).Values.artifactStore $kind | default dict -}}
{{- $noun := ternary "container" "bucket" (eq $kind "azure") -}}
{{- $one := eq (get $artifacts $noun | lower) (get $backups $noun | lower) -}}
{{- $other := include "mlflow.backup.otherAccount" . -}}
{{- if and (eq $kind "azure") $artifacts.credentialsFromSecret.enabled (not $other) -}}
{{- include "mlflow.says" (list "backup.storageAccount" "is that of the artifacts, whose account key opens every container" "set another storage account and backup.credentialsFromSecret") -}}
{{- else if and $one (not $other) -}}
{{- include "mlflow.says" (list "backup.bucket" (printf "is the %s of the artifacts, which the server reads for its accounts" $noun) (printf "set a %s of its own, to which the server's credentials have no access" $noun)) -}}
{{- end -}}
{{- end }}

{{- /* Lines: with a login, backups share neither a Secret nor an identity with the server. Takes `.`. */}}
{{- define "mlflow.validate.backupCredentials" -}}
{{- $backup := .Values.backup -}}
{{- $name := $backup.credentialsFromSecret.name -}}
{{- $server := merge (include "mlflow.secrets.server" . | fromYaml) (include "mlflow.secrets.mentioned" . | fromYaml) -}}
{{- if not (include "mlflow.backup.own" .) -}}
{{- include "mlflow.says" (list "backup.credentialsFromSecret" "is not enabled, so backups have the credentials with which the server reads for its accounts" "set backup.credentialsFromSecret, or backup.serviceAccount with a role of its own") -}}
{{- else if and $backup.credentialsFromSecret.enabled (hasKey $server $name) -}}
{{- include "mlflow.says" (list "backup.credentialsFromSecret.name" (printf "the server reads Secret %q too" $name) "set a Secret that holds nothing but the backups' credentials") -}}
{{- else if not $backup.credentialsFromSecret.enabled -}}
{{- range $key := list "eks.amazonaws.com/role-arn" "azure.workload.identity/client-id" "iam.gke.io/gcp-service-account" -}}
{{- $role := get $backup.serviceAccount.annotations $key -}}
{{- if and $role (eq $role (get $.Values.serviceAccount.annotations $key)) -}}
{{- include "mlflow.says" (list "backup.serviceAccount.annotations" (printf "%s is the server's too" $role) "set a role of its own, which alone may read the backups") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
