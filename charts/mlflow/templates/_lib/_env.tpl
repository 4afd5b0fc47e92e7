{{- /*
List lines: the environment of a container. Entries with a source come first: MLFLOW_SERVER_ALLOWED_HOSTS refers to
$(POD_IP). The rest is sorted by name. Kubernetes puts a variable in for $(NAME), and one $ for $$; two of them refer to
variables so, and what those hold of the values is literal or has no dollar sign. What the values say wins; a container
with the backups' own credentials gets of that neither Secrets nor a cloud's workload identity, which is the
server's. Takes (dict "reads" (dict ...) "given" (dict ...)): what
`mlflow.reads` gives, and the `env` of `mlflow.pod`.
*/}}
{{- define "mlflow.env" -}}
{{- $aws := "(DEFAULT_)?PROFILE|SHARED_CREDENTIALS_FILE|CONFIG_FILE|ROLE_.*|WEB_IDENTITY_.*|CONTAINER_.*" -}}
{{- $plain := deepCopy .reads.env -}}
{{- if hasKey $plain "MLFLOW_SERVER_ALLOWED_HOSTS" }}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- end }}
{{- range .reads.secrets }}
- name: {{ .variable | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- end }}
{{- range $name, $value := .given }}
{{- $secret := and (kindIs "map" $value) (contains "secretKeyRef" (toJson $value)) }}
{{- $server := or $secret (regexMatch (printf "^(AWS_(%s|.*ACCESS_KEY.*)|AZURE_.*)$" $aws) $name) }}
{{- if and $.reads.own $server }}
{{- else if kindIs "map" $value }}{{ $_ := unset $plain $name }}
- name: {{ $name | quote }}
  valueFrom:
    {{- toYaml $value.valueFrom | nindent 4 }}
{{- else }}{{ $_ := set $plain $name $value }}{{ end }}
{{- end }}
{{- range $name, $value := $plain }}
{{- $refers := has $name (list "AZURE_STORAGE_CONNECTION_STRING" "MLFLOW_SERVER_ALLOWED_HOSTS") }}
- name: {{ $name | quote }}
  value: {{ ternary $value (toString $value | replace "$" "$$") $refers | quote }}
{{- end }}
{{- end }}

{{- /*
JSON: plain environment of what runs MLflow: nothing calls home, nothing is written outside /tmp; how the server
listens and starts. Either it passes artifacts on, or it gives clients the address to write to, never half of both. With
MLflow's `executor` engine servers only write jobs into the database, for the runner; with its default one each would
run those that it was asked for. Takes `.`.
*/}}
{{- define "mlflow.env.server" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $hosts := include "mlflow.hosts" . | fromJson -}}
{{- $artifacts := (include "mlflow.objectStore" .Values.artifactStore | fromJson).uri -}}
{{- $stop := sub (sub .Values.terminationGracePeriodSeconds .Values.preStopSeconds) 5 -}}
{{- $env := include "mlflow.env.metrics" . | fromJson | merge (dict
      "DO_NOT_TRACK" "true"
      "HOME" "/tmp"
      "MLFLOW_DISABLE_TELEMETRY" "true"
      "MLFLOW_ENABLE_AI_GATEWAY" "false"
      "MLFLOW_ENABLE_WORKSPACES" (or .Values.mlflow.workspaces.enabled (eq .Values.auth.mode "kubernetes") | toString)
      "MLFLOW_HOST" "0.0.0.0"
      "MLFLOW_KUBERNETES_ACCESS_LOG" (toString .Values.mlflow.log.access)
      "MLFLOW_KUBERNETES_COMPRESSION" (toString .Values.mlflow.compression)
      "MLFLOW_KUBERNETES_DEFER_IMPORTS" (toString .Values.mlflow.deferImports)
      "MLFLOW_KUBERNETES_FAST_PATHS" (toString .Values.mlflow.fastPaths)
      "MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT" (toString $stop)
      "MLFLOW_KUBERNETES_LAUNCHER" .Values.mlflow.launcher
      "MLFLOW_KUBERNETES_MAX_BODY_MIB" (int .Values.mlflow.maxRequestBodyMiB | toString)
      "MLFLOW_KUBERNETES_PRESIGNED_URLS" $facts.presignedUrls
      "MLFLOW_KUBERNETES_SCHEMA_WAIT_SECONDS" "600"
      "MLFLOW_KUBERNETES_THREADS" (int .Values.mlflow.threads | toString)
      "MLFLOW_LOGGING_LEVEL" (upper .Values.mlflow.log.level)
      "MLFLOW_MODEL_CATALOG_URI" ""
      "MLFLOW_SERVER_ALLOWED_HOSTS" $hosts.allowed
      "MLFLOW_SERVER_ENABLE_JOB_EXECUTION" (toString .Values.jobs.enabled)
      "MLFLOW_WORKERS" (int .Values.mlflow.workers | toString)
      "PYTHONUNBUFFERED" "1") -}}
{{- with .Values.mlflow.audit }}{{ if .enabled -}}
{{- $_ := merge $env (dict "MLFLOW_KUBERNETES_AUDIT" "true" "MLFLOW_KUBERNETES_AUDIT_FILE" .file
      "MLFLOW_KUBERNETES_AUDIT_PROXIES" (join "," .trustedProxies)) -}}
{{- end }}{{ end -}}
{{- with .Values.artifactStore.allowedSources }}{{ $_ := set $env "MLFLOW_KUBERNETES_ALLOWED_SOURCES"
      (join "," .) }}{{ end -}}
{{- if eq .Values.artifactStore.mode "direct" -}}
{{- $_ := merge $env (dict "MLFLOW_DEFAULT_ARTIFACT_ROOT" $artifacts "MLFLOW_SERVE_ARTIFACTS" "false") -}}
{{- else }}{{ $_ := set $env "MLFLOW_ARTIFACTS_DESTINATION" $artifacts }}{{ end -}}
{{- if eq .Values.auth.mode "basic" -}}
{{- $_ := merge $env (dict "MLFLOW_KUBERNETES_APP_NAME" "basic-auth" "MLFLOW_KUBERNETES_AUTH_PERMISSION"
      .Values.auth.basic.defaultPermission) -}}
{{- else if eq .Values.auth.mode "oidc" }}{{ with .Values.auth.oidc -}}
{{- /* Names without MLFLOW_KUBERNETES are the plugin's own. */}}
{{- $callback := default (printf "https://%s/callback" $hosts.public) .redirectUri -}}
{{- $env = merge $env (include "mlflow.env.cluster" $.Values.auth | fromJson) (dict
      "AUTOMATIC_LOGIN_REDIRECT" "true"
      "DEFAULT_LANDING_PAGE_IS_PERMISSIONS" "false"
      "DEFAULT_MLFLOW_PERMISSION" .defaultPermission
      "MLFLOW_KUBERNETES_APP_NAME" "oidc-auth"
      "MLFLOW_KUBERNETES_OIDC_GROUPS" (toJson .groups)
      "OIDC_ADMIN_GROUP_NAME" (join "," .adminGroups)
      "OIDC_AUDIENCE" .clientId
      "OIDC_CLIENT_ID" .clientId
      "OIDC_DISCOVERY_URL" (printf "%s/.well-known/openid-configuration" (trimSuffix "/" .issuer))
      "OIDC_GROUPS_ATTRIBUTE" .groupsClaim
      "OIDC_GROUP_NAME" (join "," .allowedGroups)
      "OIDC_ISSUER" .issuer
      "OIDC_REDIRECT_URI" $callback
      "OIDC_SCOPE" (join " " .scopes)
      "OIDC_WORKSPACE_CLAIM_NAME" "no claim"
      "OIDC_WORKSPACE_REQUIRE_CREATION_CONTEXT" "true"
      "SESSION_COOKIE_MAX_AGE_SECONDS" (mul .sessionHours 3600 | toString)
      "SESSION_COOKIE_SECURE" (hasPrefix "https:" $callback | toString)
      "WORKSPACE_CACHE_TTL_SECONDS" "30") -}}
{{- end }}{{ else if eq .Values.auth.mode "kubernetes" -}}
{{- $env = include "mlflow.env.cluster" .Values.auth | fromJson | merge $env }}{{ end -}}
{{- if .Values.jobs.enabled }}{{ $_ := set $env "MLFLOW_SERVER_JOB_EXECUTION_ENGINE" "executor" }}{{ end -}}
{{- with $hosts.origins }}{{ $_ := set $env "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS" (join "," .) }}{{ end -}}
{{- toJson $env -}}
{{- end }}

{{- /*
JSON: plain environment of a login by the cluster. With oidc, of service accounts, if any may: the provider of people,
as the plugin has it without this list, and the cluster. With kubernetes, of the plugin that asks it: groups come from a
header with a dot, which the gate removes, since a gateway replaces the header of users only. Takes `Values.auth`.
*/}}
{{- define "mlflow.env.cluster" -}}
{{- $document := "/.well-known/openid-configuration" -}}
{{- if eq .mode "kubernetes" }}{{ with .kubernetes }}{{ dict
      "MLFLOW_K8S_AUTH_AUTHORIZATION_MODE" (printf "%ssubject_access_review" (ternary "" "self_" .userHeader.enabled))
      "MLFLOW_K8S_AUTH_CACHE_TTL_SECONDS" (toString .cacheSeconds)
      "MLFLOW_K8S_AUTH_REMOTE_GROUPS_HEADER" "no.header"
      "MLFLOW_K8S_AUTH_REMOTE_USER_HEADER" .userHeader.name
      "MLFLOW_K8S_AUTH_USERNAME_CLAIM" "sub"
      "MLFLOW_K8S_AUTH_WORKSPACES_ENABLED" "true"
      "MLFLOW_K8S_DEFAULT_WORKSPACE" .defaultWorkspace
      "MLFLOW_K8S_NAMESPACE_EXCLUDE_GLOBS" (join "," .excludedNamespaces)
      "MLFLOW_K8S_WORKSPACE_LABEL_SELECTOR" .workspaceLabelSelector
      "MLFLOW_KUBERNETES_APP_NAME" "kubernetes-auth" | toJson }}{{ end -}}
{{- else }}{{ with .oidc -}}
{{- $people := dict "id" "default" "type" "oidc" "audience" .clientId "client_id" .clientId "issuer" .issuer
      "discovery_url" (printf "%s%s" (trimSuffix "/" .issuer) $document)
      "allowed_algorithms" (list "RS256" "RS384" "RS512" "PS256" "PS384" "PS512" "ES256" "ES384" "ES512" "EdDSA") -}}
{{- with .serviceAccounts -}}
{{- $cluster := dict "id" "cluster" "type" "k8s" "audience" .audience "issuer" .issuer
      "namespace_allowlist" .namespaces "allowed_algorithms" (list "RS256" "ES256") -}}
{{- $keys := dict "in_cluster" true "jwks_uri" "https://kubernetes.default.svc/openid/v1/jwks" -}}
{{- if eq .keysFrom "issuer" -}}
{{- $keys = dict "discovery_url" (printf "%s%s" (trimSuffix "/" .issuer) $document) -}}
{{- end -}}
{{- $both := dict "AUTH_PROVIDERS" (list $people (merge $cluster $keys) | toJson) -}}
{{- ternary $both dict (gt (len .namespaces) 0) | toJson -}}
{{- end -}}
{{- end }}{{ end -}}
{{- end }}

{{- /*
JSON: plain environment of what counts, and of what serves the counts; tasks are those that are on, with the seconds
after which their last success is too old. Takes `.`.
*/}}
{{- define "mlflow.env.metrics" -}}
{{- $facts := include "mlflow.facts" . | fromJson -}}
{{- $env := dict
      "MLFLOW_KUBERNETES_LOG_FORMAT" .Values.mlflow.log.format
      "MLFLOW_PORT" (toString $facts.port)
      "PYTHONDONTWRITEBYTECODE" "1" -}}
{{- with .Values.mlflow.staticPrefix }}{{ $_ := set $env "MLFLOW_STATIC_PREFIX" . }}{{ end -}}
{{- with .Values.metrics }}{{ if .enabled -}}
{{- $hosts := list "127.0.0.1" -}}
{{- if $facts.exporter }}{{ $hosts = append $hosts (printf "%s-exporter" (include "mlflow.fullname" $)) }}{{ end -}}
{{- $pages := list -}}
{{- range $hosts }}{{ $pages = append $pages (printf "http://%s:%d/metrics" . (int $.Values.metrics.port)) }}{{ end -}}
{{- $on := dict "retention" $facts.retention "backup" $.Values.backup.enabled "drill" $facts.drill -}}
{{- $tasks := list -}}
{{- range $task := list "retention" "backup" "drill" }}{{ if get $on $task -}}
{{- $hours := get $.Values.prometheusRule.thresholds (printf "%sHours" $task) -}}
{{- $tasks = append $tasks (printf "%s=%d" $task (mul $hours 3600)) -}}
{{- end }}{{ end -}}
{{- with $tasks }}{{ $_ := set $env "MLFLOW_KUBERNETES_TASKS" (join " " .) }}{{ end -}}
{{- $env = merge $env (dict
      "MLFLOW_EXPOSE_PROMETHEUS" "/metrics"
      "MLFLOW_KUBERNETES_METRICS_INTERVAL" (int .storeIntervalSeconds | toString)
      "MLFLOW_KUBERNETES_METRICS_PAGES" (join " " $pages)
      "MLFLOW_KUBERNETES_METRICS_PORT" (int .port | toString)) -}}
{{- end }}{{ end -}}
{{- toJson $env -}}
{{- end }}
