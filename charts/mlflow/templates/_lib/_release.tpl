{{- /*
String: the name of the server's objects, `mlflow` for release `mlflow`. It ends at 53 characters, so a suffix such as
`-exporter` has 10 of the 63 that DNS allows. Takes `.`.
*/}}
{{- define "mlflow.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- default (ternary .Release.Name $full (contains $name .Release.Name)) .Values.fullnameOverride -}}
{{- end }}

{{- /* String: the name of objects of the cluster, which no other release has: namespaces have no colon. Takes `.`. */}}
{{- define "mlflow.clusterRole" -}}
{{- printf "%s:%s" .Release.Namespace (include "mlflow.fullname" .) -}}
{{- end }}

{{- /*
JSON: labels of an object. With "of" "selector", those that select the pods of a component; without a
component, every pod of the release and no other. They are frozen: a Deployment's selector cannot change. With "of"
"pod", those of a pod template. The chart's version is not among them, so that a new chart alone restarts nothing. Takes
(dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.labels" -}}
{{- $of := default "object" .of -}}
{{- $labels := dict
      "app.kubernetes.io/name" (default .ctx.Chart.Name .ctx.Values.nameOverride)
      "app.kubernetes.io/instance" .ctx.Release.Name -}}
{{- with .component }}{{ $_ := set $labels "app.kubernetes.io/component" . }}{{ end -}}
{{- if ne $of "selector" -}}
{{- $labels = merge $labels .ctx.Values.commonLabels (dict
      "app.kubernetes.io/version" .ctx.Chart.AppVersion
      "app.kubernetes.io/part-of" "mlflow"
      "app.kubernetes.io/managed-by" .ctx.Release.Service) -}}
{{- end -}}
{{- if eq $of "object" -}}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .ctx.Chart.Name .ctx.Chart.Version | replace "+" "_") -}}
{{- end -}}
{{- toJson $labels -}}
{{- end }}

{{- /*
JSON: what follows from the values, decided here once. Takes `.`.
  image             of all containers but those with PostgreSQL's programs, and `backupImage` of the latter:
                    `registry/repository:tag@digest`. Without a tag, MLflow's own
  registries        those that stand in `image.repository` and `backup.image.repository`, by path, which count. As
                    container runtimes read it: a first part with a dot or a colon, or `localhost`
  port              of the server in its pod
  database          runs are in a database that several pods can share, whichever it is
  objectStore       `s3`, `azure` or `gcs`; empty where artifacts are on the volume
  presignedUrls     `true` or `false`: whether the server offers presigned addresses
  claim             the claim that holds what is in neither of them; empty without a volume
  shared            several server pods see the same runs and artifacts
  login             the server asks for an account, whichever login it has
  loginFolder       pods have a folder in memory for what libpq reads to log in: a token, or a URI taken apart
  threads           how many requests a worker handles at once; MLflow's own server has 40 threads
  exporter          a pod of its own reads the stores, once for all servers. It cannot reach SQLite: there the one
                    server pod's metrics container reads
  retention, drill  these CronJobs are on
  cronjobs          how their names begin. Kubernetes adds 11 characters for each Job, so there are 52, 42 without
                    `-retention`; a longer name ends with its digest, so that two releases share no CronJob
  drillDatabase     a drill restores into
  backupStore       the kind of store that backups go to, as objectStore
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
{{- if (get $values.artifactStore $kind).enabled }}{{ $store = $kind }}{{ end }}{{ end -}}
{{- /* Not urlParse, which ends the rendering with its own message. Inside as in `mlflow.network.storePeers`. */}}
{{- $endpoint := (get $values.artifactStore $store | default dict).endpoint | default "" -}}
{{- $host := regexReplaceAll "(?s)^[a-z]+://(.*?)(:[0-9]+)?(/.*)?$" $endpoint "${1}" -}}
{{- $auto := regexMatch (printf "^[^.:]+$|[.]svc([.]%s[.]?)?$"
      (regexQuoteMeta $values.clusterDomain)) $host | not | toString -}}
{{- $images := dict }}{{ $registries := dict -}}
{{- range $path, $image := dict "image" $values.image "backup.image" $values.backup.image -}}
{{- $within := regexFind "^(localhost|[-A-Za-z0-9]+[.:][-A-Za-z0-9.:]+)/" $image.repository | trimSuffix "/" -}}
{{- $registry := ternary (default $image.registry $values.global.imageRegistry) "" (empty $within) -}}
{{- $tag := default (printf "v%s-full" $.Chart.AppVersion) $image.tag -}}
{{- $tagged := printf "%s:%s" (compact (list $registry $image.repository) | join "/") $tag -}}
{{- $_ := set $images $path (compact (list $tagged $image.digest) | join "@") -}}
{{- $_ := set $registries $path $within -}}
{{- end -}}
{{- $account := default (ternary $name "default" $values.serviceAccount.create) $values.serviceAccount.name -}}
{{- with $values.backup -}}
{{- $made := ternary (printf "%s-backup" $name) $account .serviceAccount.create -}}
{{- $backupAccount := default $made .serviceAccount.name -}}
{{- dict
      "image" $images.image
      "backupImage" (get $images "backup.image")
      "registries" $registries
      "port" 5000
      "database" $database
      "objectStore" $store
      "presignedUrls" (get (dict "auto" $auto "true" "true" "false" "false")
        (toString $values.artifactStore.presignedUrls))
      "claim" (ternary "" (default $name $values.persistence.existingClaim) (and $database (ne $store "")))
      "shared" (and $database (or (ne $store "") (has "ReadWriteMany" $values.persistence.accessModes)))
      "login" (ne $values.auth.mode "none")
      "loginFolder" (and $values.backendStore.postgres.enabled (or
        (ne $values.backendStore.postgres.login "password")
        $values.backendStore.postgres.uriFromSecret.enabled))
      "threads" (ternary 40 (int $values.mlflow.threads) (eq $values.mlflow.launcher "upstream"))
      "exporter" (and $values.metrics.enabled $database)
      "retention" (and $values.backendStore.postgres.enabled (or
        $values.retention.enabled
        $values.backendStore.postgres.cleanupRunsEnabled))
      "drill" (and .enabled .drill.enabled)
      "cronjobs" (ternary $name (printf "%s-%s" ($name | trunc 33 | trimSuffix "-") ($name | sha256sum | trunc 8))
        (le (len $name) 42))
      "drillDatabase" (default (printf "%s_drill" $values.backendStore.postgres.database | trunc 63) .drill.database)
      "backupStore" (default $store .store)
      "backupFirst" (and .enabled .beforeMigration)
      "serviceAccount" $account
      "backupServiceAccount" $backupAccount
      "backupOwn" (or .credentialsFromSecret.enabled (ne $account $backupAccount))
      "otherAccount" (and $values.artifactStore.azure.enabled (not (has .storageAccount
        (list "" $values.artifactStore.azure.storageAccount))))
      | toJson -}}
{{- end -}}
{{- end }}

{{- /*
JSON: the host names that the values give. `service` are those of the Service, which external-dns may give it too.
`external` are addresses of the server from outside, of its Ingress first. Names of nodes are none without their port.
Takes `.`.
*/}}
{{- define "mlflow.hosts.names" -}}
{{- $service := .Values.service.hostnames -}}
{{- range $annotation := list "hostname" "internal-hostname" -}}
{{- $value := get $.Values.service.annotations (printf "external-dns.alpha.kubernetes.io/%s" $annotation) -}}
{{- range splitList "," $value -}}
{{- with trim . | trimSuffix "." }}{{ $service = append $service . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $external := list -}}
{{- if .Values.ingress.enabled }}{{ range .Values.ingress.hosts }}{{ $external = append $external
      .host }}{{ end }}{{ end -}}
{{- with .Values.httpRoute }}{{ if .enabled }}{{ $external = concat $external .hostnames }}{{ end }}{{ end -}}
{{- if ne .Values.service.type "NodePort" }}{{ $external = concat $external $service }}{{ end -}}
{{- dict "service" (uniq $service) "external" (uniq $external) | toJson -}}
{{- end }}

{{- /*
JSON: how clients name the server. `allowed`, separated by commas, is all that it answers to; it replaces MLflow's own
list, so it holds every way by which a request may come in. `origins` are those of web pages that may call the API:
the server's own pages first, which browsers name even where page and API are one. Without a certificate here TLS may
still end before the controller, so both schemes are right. `public` is the first name from outside that is no pattern.
Takes `.`.
*/}}
{{- define "mlflow.hosts" -}}
{{- $name := include "mlflow.fullname" . -}}
{{- $inside := printf "%s.%s.svc" $name .Release.Namespace -}}
{{- $domain := printf "%s.%s" $inside .Values.clusterDomain -}}
{{- $names := list $name (trimSuffix ".svc" $inside) $inside $domain (printf "%s." $domain)
      "localhost" "127.0.0.1" "0.0.0.0" "$(POD_IP)" -}}
{{- $redirected := list }}{{ $allowed := list }}{{ $origins := list -}}
{{- $called := include "mlflow.hosts.names" . | fromJson -}}
{{- with .Values.httpRoute }}{{ if .redirectParentRefs }}{{ $redirected = .hostnames }}{{ end }}{{ end -}}
{{- range concat $names $called.external $called.service .Values.mlflow.allowedHosts -}}
{{- $allowed = append $allowed . -}}
{{- if not (or (contains ":" .) (hasSuffix "*" .)) }}{{ $allowed = append $allowed (printf "%s:*" .) }}{{ end -}}
{{- end -}}
{{- /* In a pattern `[` opens a set of characters, so the bracket of an IPv6 address is written as a set of one. */ -}}
{{- $allowed = concat $allowed (list "[::1]" "[[]::1]:*" "[$(POD_IP)]" "[[]$(POD_IP)]:*") | uniq -}}
{{- range $host := $called.external -}}
{{- $https := has $host $redirected -}}
{{- range $.Values.ingress.tls -}}
{{- $https = or $https (not .hosts) (has $host .hosts) (has (regexReplaceAll "^[^.]+" $host "*") .hosts) -}}
{{- end -}}
{{- $both := list (printf "http://%s" $host) (printf "https://%s" $host) -}}
{{- $origins = concat $origins (ternary (rest $both) $both $https) -}}
{{- end -}}
{{- $origins = concat $origins .Values.mlflow.corsAllowedOrigins | default list | uniq -}}
{{- $public := regexFind "(^|,)[^*,]+" (join "," $called.external) | trimPrefix "," -}}
{{- dict "allowed" (join "," $allowed) "origins" $origins "public" $public | toJson -}}
{{- end }}
