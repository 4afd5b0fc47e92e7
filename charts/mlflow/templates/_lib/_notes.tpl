{{- /* Lines: Secrets that the pods wait for, with their keys. Takes `.`. */}}
{{- define "mlflow.notes.secrets" -}}
{{- range $name, $keys := include "mlflow.secrets" (dict "ctx" .) | fromJson }}
{{ $name }}: {{ join ", " $keys }}
{{- end }}
{{- end }}

{{- /* String: how users log in, and their permission without a grant. Takes `.`. */}}
{{- define "mlflow.notes.login" -}}
{{- with .Values.auth -}}
{{- if eq .mode "basic" }}MLflow's accounts; permission without a grant: {{ .basic.defaultPermission }}
{{- else if eq .mode "oidc" }}OpenID Connect at {{ .oidc.issuer }}; permission without a grant: {{ .oidc.defaultPermission }}; redirect URI of the client: {{ (include "mlflow.env.server" $ | fromJson).OIDC_REDIRECT_URI }}
{{- else if eq .mode "kubernetes" }}Kubernetes RBAC; users are identified by {{ ternary (printf "header %s of the gateway" .kubernetes.userHeader.name) "Kubernetes tokens" .kubernetes.userHeader.enabled }}; namespaces are workspaces
{{- else }}none{{ end -}}
{{- end -}}
{{- end }}

{{- /* String: database, host and port of PostgreSQL, or the Secrets that contain them. Takes `.Values.backendStore.postgres`. */}}
{{- define "mlflow.notes.database" -}}
{{- $database := ternary (printf "(Secret %s)" .databaseFromSecret.name) .database .databaseFromSecret.enabled -}}
{{- $host := ternary (printf "(Secret %s)" .hostFromSecret.name) .host .hostFromSecret.enabled -}}
{{- $port := ternary (printf "(Secret %s)" .portFromSecret.name) (int .port | toString) .portFromSecret.enabled -}}
{{- $uri := printf "of the URI in Secret %s" .uriFromSecret.name -}}
{{- ternary $uri (printf "%s at %s:%s" $database $host $port) .uriFromSecret.enabled -}}
{{- end }}

{{- /* String: number of server pods, or the range of the autoscaler. Takes `.`. */}}
{{- define "mlflow.notes.pods" -}}
{{- include "mlflow.pods.least" . }}{{ with .Values.autoscaling }}{{ if .enabled }} to {{ int .maxReplicas }}{{ end }}{{ end -}}
{{- end }}

{{- /* Lines: settings that are allowed but carry a risk. Takes `.`. */}}
{{- define "mlflow.notes.risks" -}}
{{- if not (include "mlflow.facts" . | fromJson).login }}
- no authentication: every client that reaches the Service has full access
{{- end }}
{{- if not .Values.keys.fromSecret.enabled }}
- keys.fromSecret is not enabled: webhook secrets cannot be read after a restart, and gateway secrets are encrypted with MLflow's default passphrase, which is public
{{- end }}
{{- with .Values.backendStore.postgres }}
{{- if and .host (not (include "mlflow.facts" $ | fromJson).database) }}
- backendStore.postgres.host is set but backendStore.postgres.enabled is not: runs are in SQLite
{{- end }}
{{- if and .enabled (has .sslMode (list "disable" "allow" "prefer")) }}
- sslMode {{ .sslMode }}: the connection to PostgreSQL may be in clear text
{{- end }}
{{- end }}
{{- range $kind := list "s3" "azure" "gcs" }}{{ with get $.Values.artifactStore $kind }}
{{- if and (or .bucket .container) (not .enabled) }}
- artifactStore.{{ $kind }} is set but artifactStore.{{ $kind }}.enabled is not: artifacts are not stored there
{{- end }}
{{- if and .enabled (hasPrefix "http:" .endpoint) }}
- {{ .endpoint }}: artifacts and request signatures are sent in clear text
{{- end }}
{{- end }}{{ end }}
{{- if and .Values.backup.enabled (hasPrefix "http:" .Values.backup.endpoint) }}
- {{ .Values.backup.endpoint }}: backups and request signatures are sent in clear text
{{- end }}
{{- if eq .Values.artifactStore.mode "direct" }}
- artifactStore.mode direct: each client needs credentials of the object store, and artifacts of experiments that were created with mode proxied cannot be read
{{- end }}
{{- range .Values.artifactStore.allowedSources }}
{{- if hasPrefix (include "mlflow.source" .) ((include "mlflow.objectStore" $.Values.artifactStore | fromJson).uri | include "mlflow.source") }}
- artifactStore.allowedSources has {{ . }}: each account may read all artifacts
{{- end }}
{{- end }}
{{- if and (include "mlflow.facts" . | fromJson).database (not .Values.backup.enabled) }}
- backup.enabled is not set: back up the database yourself
{{- end }}
{{- if not (include "mlflow.facts" . | fromJson).shared }}
- one pod on one volume: each upgrade causes a short downtime
{{- end }}
{{- if has "*" .Values.mlflow.allowedHosts }}
- allowedHosts has "*": no protection from DNS rebinding
{{- end }}
{{- if not (and .Values.podSecurityContext.runAsNonRoot .Values.containerSecurityContext.readOnlyRootFilesystem) }}
- the security context of the pods is weaker than the chart's default
{{- end }}
{{- end }}

{{- /* Lines: what a NetworkPolicy does not restrict, or hosts without effect. Takes `.`. */}}
{{- define "mlflow.notes.network" -}}
{{- range $name := list "ingress" "httpRoute" }}
{{- with get $.Values $name }}
{{- if and (or .hosts .hostnames) (not .enabled) }}
- {{ $name }} has hosts but {{ $name }}.enabled is not set: the hosts have no effect
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
{{- range .Values.networkPolicy.ingress }}
{{- if not .from }}
- networkPolicy.ingress has a rule without `from`: every client may connect
{{- end }}
{{- end }}
{{- range $name, $store := include "mlflow.network.stores" . | fromYaml }}
{{- if contains "0.0.0.0/0" (include "mlflow.network.storePeers" (dict "ctx" $ "store" $name "host" $store.host)) }}
- the pods may connect to port {{ int $store.port }} of any address, since a NetworkPolicy cannot contain the host name {{ $store.host }}; set networkPolicy.peers.{{ $name }} to restrict this
{{- end }}
{{- end }}
{{- end }}
{{- end }}
