{{- /* Mapping lines: host and port of each store and provider outside, by the key of its peers. Takes `.`. */}}
{{- define "mlflow.network.stores" -}}
{{- with .Values.backendStore -}}
{{- if .postgres.enabled -}}
database:
  host: {{ .postgres.host | quote }}
  port: {{ int .postgres.port }}
{{- with .postgres.readReplica }}{{ if .host }}
readReplica:
  host: {{ .host | quote }}
  port: {{ int .port }}
{{- end }}{{ end }}
{{- if ne .postgres.login "password" }}
identity:
  host: {{ ternary "sts.amazonaws.com" "login.microsoftonline.com" (eq .postgres.login "awsIam") | quote }}
  port: 443
{{- end }}
{{- else if .uriFromSecret.enabled -}}
database:
  host: ""
  port: 3306
{{- end }}
{{- end }}
{{- if eq .Values.auth.mode "kubernetes" }}
apiServer:
  host: kubernetes.default
  ports: [443, 6443]
{{- else if eq .Values.auth.mode "oidc" }}
{{- $issuers := dict "issuer" .Values.auth.oidc.issuer -}}
{{- with .Values.auth.oidc.serviceAccounts }}{{ if not .namespaces }}{{ else if eq .keysFrom "issuer" -}}
{{- $_ := set $issuers "clusterIssuer" .issuer -}}
{{- else }}
apiServer:
  host: kubernetes.default
  ports: [443, 6443]
{{- end }}{{ end }}
{{- range $name, $issuer := $issuers }}
{{ $name }}:
  host: {{ regexReplaceAll "(?s)^https://\\[?(.*?)\\]?(:[0-9]+)?(/.*)?$" $issuer "${1}" | quote }}
  port: {{ regexFind ":[0-9]+" (trimPrefix "https:" $issuer) | trimPrefix ":" | default "443" | int }}
{{- end }}
{{- end }}
{{- $services := dict "objectStore" (include "mlflow.network.service" .Values.artifactStore) -}}
{{- $backups := include "mlflow.backup.store" . | fromJson | include "mlflow.network.service" -}}
{{- if and .Values.backup.enabled (ne $backups $services.objectStore) }}{{ $_ := set $services "backupStore"
      $backups }}{{ end -}}
{{- range $name, $service := $services }}{{ if $service }}
{{- /* Not urlParse, which ends the rendering with its own message. */}}
{{- $form := "(?s)^[a-z]+://\\[?(.*?)\\]?(:([0-9]+))?(/.*)?$" }}
{{ $name }}:
  host: {{ regexReplaceAll $form $service "${1}" | quote }}
  port: {{ regexReplaceAll $form $service "${3}" | default (ternary 80 443 (hasPrefix "http:" $service)) | int }}
{{- end }}{{ end }}
{{- end }}

{{- /*
List lines: where a store's pods or addresses are. A policy holds no names, so a name means either the namespace
of a Service or nothing. Peers of the database are those of its read replica too. Takes (dict "ctx" $ "store" "database"
"host" host).
*/}}
{{- define "mlflow.network.storePeers" -}}
{{- $ctx := .ctx -}}
{{- $host := .host -}}
{{- $peers := dict "readReplica" "database" "clusterIssuer" "issuer" -}}
{{- $given := get $ctx.Values.networkPolicy.peers (get $peers .store | default .store) -}}
{{- if $given -}}
{{- toYaml $given -}}
{{- else if not (regexMatch "[.:]" $host) -}}
- podSelector: {}
{{- else if include "mlflow.network.namespace" (dict "ctx" $ctx "host" $host) -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ include "mlflow.network.namespace" (dict "ctx" $ctx "host" $host) | quote }}
{{- else if regexMatch "^([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$" $host -}}
- ipBlock:
    cidr: {{ printf "%s/%s" $host (ternary "128" "32" (contains ":" $host)) | quote }}
{{- else -}}
{{- include "mlflow.network.anywhere" . -}}
{{- end -}}
{{- end }}

{{- /*
List lines: every address but link-local ones and the metadata services of clouds, which give the credentials of the
node to any pod that asks.
*/}}
{{- define "mlflow.network.anywhere" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except:
      - 169.254.0.0/16
      - 100.100.100.200/32
      - 168.63.129.16/32
- ipBlock:
    cidr: ::/0
    except:
      - fe80::/10
      - fd00:ec2::254/128
      - fd20:ce::254/128
{{- end }}

{{- /* String: the namespace in the name of a Service, nothing for other names. Takes (dict "ctx" $ "host" host). */}}
{{- define "mlflow.network.namespace" -}}
{{- $domain := regexQuoteMeta .ctx.Values.clusterDomain -}}
{{- regexFind (printf "[^.]+\\.svc(\\.%s\\.?)?$" $domain) .host | splitList "." | first -}}
{{- end }}

{{- /* String: `yes` if the endpoint of S3 is one of AWS, as an empty one is. Takes the endpoint. */}}
{{- define "mlflow.network.amazon" -}}
{{- if regexMatch "^$|[.]amazonaws[.]com([.]cn)?(:[0-9]+)?/?$" (default "" .) }}yes{{ end -}}
{{- end }}

{{- /*
List lines: who on the node gives a pod the credentials of its identity: the agent of EKS Pod Identity, the metadata
server of GKE with and without Dataplane V2. Azure's is its login service, as public as the store. Takes
`Values.artifactStore`, or it as `mlflow.backup.store` has it.
*/}}
{{- define "mlflow.network.identity" -}}
{{- if and .s3.enabled (include "mlflow.network.amazon" .s3.endpoint) (not .s3.credentialsFromSecret.enabled) }}
- cidr: 169.254.170.23/32
  port: 80
{{- else if and .gcs.enabled (not .gcs.endpoint) (not .gcs.credentialsFromSecret.enabled) }}
- cidr: 169.254.169.254/32
  port: 80
- cidr: 169.254.169.252/32
  port: 987
- cidr: 169.254.169.252/32
  port: 988
{{- end }}
{{- end }}

{{- /*
String: URL of an object store's service; empty without a store. Takes `Values.artifactStore`, or it as
`mlflow.backup.store` has it.
*/}}
{{- define "mlflow.network.service" -}}
{{- if .s3.enabled }}{{ default "https://s3.amazonaws.com" .s3.endpoint -}}
{{- else if .azure.enabled }}{{ default (printf "https://%s.%s.%s" .azure.storageAccount (ternary "dfs" "blob"
      (eq .azure.scheme "abfss")) .azure.domain) .azure.endpoint -}}
{{- else if .gcs.enabled }}{{ default "https://storage.googleapis.com" .gcs.endpoint }}{{ end -}}
{{- end }}
