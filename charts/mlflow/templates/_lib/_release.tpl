{{- /*
String: the name of the server's objects, `mlflow` for release `mlflow`. It ends at 53 characters, so a suffix such as
`-exporter` has 10 of the 63 that DNS allows. Takes `.`.
*/}}
{{- define "mlflow.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- default (ternary .Release.Name $full (contains $name .Release.Name)) .Values.fullnameOverride -}}
{{- end }}

{{- /*
Mapping lines: what selects the pods of a component; without one, every pod of the release and no other. Frozen: a
Deployment's selector cannot change. Takes (dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.selectorLabels" -}}
app.kubernetes.io/name: {{ default .ctx.Chart.Name .ctx.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .ctx.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . | quote }}
{{- end }}
{{- end }}

{{- /*
Mapping lines: labels of a pod template. The chart's version is not among them, so that a new chart
alone restarts nothing. Takes (dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.podLabels" -}}
{{ include "mlflow.selectorLabels" . }}
app.kubernetes.io/version: {{ .ctx.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: mlflow
app.kubernetes.io/managed-by: {{ .ctx.Release.Service | quote }}
{{- with .ctx.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Mapping lines: labels of an object. Takes (dict "ctx" $ "component" "server"). */}}
{{- define "mlflow.labels" -}}
{{ include "mlflow.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .ctx.Chart.Name .ctx.Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{- /*
String: `registry/repository:tag@digest` of an image; without a tag, MLflow's own. A registry in the repository stays.
Takes (dict "ctx" $ "image" .Values.image).
*/}}
{{- define "mlflow.image" -}}
{{- if not (include "mlflow.image.registry" .image.repository) -}}
{{- with default .image.registry .ctx.Values.global.imageRegistry }}{{ . }}/{{ end -}}
{{- end -}}
{{- printf "%s:%s" .image.repository (default (printf "v%s-full" .ctx.Chart.AppVersion) .image.tag) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{- /*
String: the registry in a repository, such as `ghcr.io` in `ghcr.io/mlflow/mlflow`; empty without one. As container
runtimes read it, a first part with a dot or a colon, or `localhost`. Takes the repository.
*/}}
{{- define "mlflow.image.registry" -}}
{{- regexFind "^(localhost|[-A-Za-z0-9]+[.:][-A-Za-z0-9.:]+)/" . | trimSuffix "/" -}}
{{- end }}

{{- /*
JSON: what follows from the values, decided here once. Takes `.`.
  port              of the server in its pod
  database          runs are in a database that several pods can share, whichever it is
  objectStore       `s3`, `azure` or `gcs`; empty where artifacts are on the volume
  claim             the claim that holds what is in neither of them; empty without a volume
  shared            several server pods see the same runs and artifacts
  login             the server asks for an account
  threads           how many requests a worker handles at once; MLflow's own server has 40 threads
  exporter          a pod of its own reads the stores, once for all servers. It cannot reach SQLite: there the one
                    server pod's metrics container reads
  retention, drill  these CronJobs are on
  drillDatabase     a drill restores into
  backupFirst       the migration makes a backup before it begins
  serviceAccount    of the pods, and `backupServiceAccount` of those that back up and restore
  backupOwn         backups have credentials of their own, from a Secret or by their ServiceAccount
  otherAccount      backups are in another storage account of Azure than artifacts
*/}}
{{- define "mlflow.facts" -}}
{{- $values := .Values -}}
{{- $name := include "mlflow.fullname" . -}}
{{- $database := or $values.backendStore.postgres.enabled $values.backendStore.uriFromSecret.enabled -}}
{{- $store := "" -}}
{{- range $kind := list "s3" "azure" "gcs" -}}
{{- if (get $values.artifactStore $kind).enabled }}{{ $store = $kind }}{{ end -}}
{{- end -}}
{{- $claim := default $name $values.persistence.existingClaim -}}
{{- $account := default (ternary $name "default" $values.serviceAccount.create) $values.serviceAccount.name -}}
{{- with $values.backup -}}
{{- $made := ternary (printf "%s-backup" $name) $account .serviceAccount.create -}}
{{- $backupAccount := default $made .serviceAccount.name -}}
{{- $azure := $values.artifactStore.azure -}}
{{- dict
      "port" 5000
      "database" $database
      "objectStore" $store
      "claim" (ternary "" $claim (and $database (ne $store "")))
      "shared" (and $database (or (ne $store "") (has "ReadWriteMany" $values.persistence.accessModes)))
      "login" (eq $values.auth.mode "basic")
      "threads" (ternary 40 (int $values.mlflow.threads) (eq $values.mlflow.launcher "upstream"))
      "exporter" (and $values.metrics.enabled $database)
      "retention" (and $values.backendStore.postgres.enabled (or
        $values.retention.enabled
        $values.backendStore.postgres.cleanupRunsEnabled))
      "drill" (and .enabled .drill.enabled)
      "drillDatabase" (default (printf "%s_drill" $values.backendStore.postgres.database | trunc 63) .drill.database)
      "backupFirst" (and .enabled .beforeMigration)
      "serviceAccount" $account
      "backupServiceAccount" $backupAccount
      "backupOwn" (or .credentialsFromSecret.enabled (ne $account $backupAccount))
      "otherAccount" (and $azure.enabled (not (has .storageAccount (list "" $azure.storageAccount))))
      | toJson -}}
{{- end -}}
{{- end }}
