{{- /* Lines: how the server is reached and how it leaves. Takes `.`. */}}
{{- define "mlflow.validate.server" -}}
{{- include "mlflow.validate.staticPrefix" .Values.mlflow.staticPrefix -}}
{{- range .Values.mlflow.allowedHosts }}{{ if regexMatch "[^A-Za-z0-9.:_*?!\\[\\]-]|:$" . -}}
{{- include "mlflow.says" (list "mlflow.allowedHosts" (printf "%q is not a host name" .) "list names such as mlflow.example.com, without scheme and path") -}}
{{- end }}{{ end -}}
{{- range .Values.mlflow.corsAllowedOrigins }}{{ if not (regexMatch "^(\\*|https?://[^/, ]+)$" .) -}}
{{- include "mlflow.says" (list "mlflow.corsAllowedOrigins" (printf "%q is not an origin" .) "list origins such as https://mlflow.example.com, with a scheme and without a path") -}}
{{- end }}{{ end -}}
{{- if and (eq .Values.mlflow.log.format "json") (eq .Values.mlflow.launcher "upstream") -}}
{{- include "mlflow.says" (list "mlflow.log.format" "json needs the chart's own launcher" "set mlflow.launcher: direct, or text here") -}}
{{- end -}}
{{- $least := add .Values.preStopSeconds 10 | int -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) $least -}}
{{- include "mlflow.says" (list "terminationGracePeriodSeconds" (printf "%d leaves no time for requests in flight after %d s of preStopSeconds" (int .Values.terminationGracePeriodSeconds) (int .Values.preStopSeconds)) (printf "set %d or more" $least)) -}}
{{- end -}}
{{- end }}

{{- /*
Lines: a path prefix that leaves the login as it is. MLflow asks for none where a path begins with /static, /health or
/favicon.ico, and serves some paths without the prefix. Takes the prefix.
*/}}
{{- define "mlflow.validate.staticPrefix" -}}
{{- $first := regexFind "^/[^/]+" . -}}
{{- if not . -}}
{{- else if or (not (regexMatch "^(/[A-Za-z0-9._~-]+)+$" .)) (regexMatch "/[.]+(/|$)" .) -}}
{{- include "mlflow.says" (list "mlflow.staticPrefix" (printf "%q is not a path prefix" .) "write it as /mlflow, with a slash before it and none behind it") -}}
{{- else if regexMatch "(?i)^/(static|health|favicon[.]ico)" . -}}
{{- include "mlflow.says" (list "mlflow.staticPrefix" (printf "%s begins like a path for which MLflow asks for no login" $first) "choose another first segment, such as /mlflow") -}}
{{- else if regexMatch "(?i)^/(ajax-api|api|build|gateway|get-artifact|graphql|metrics|model-versions|signup|v1|version)$" $first -}}
{{- include "mlflow.says" (list "mlflow.staticPrefix" (printf "%s is a path of MLflow itself" $first) "choose another first segment, such as /mlflow") -}}
{{- end -}}
{{- end }}

{{- /* Lines: environment variables that belong elsewhere. Takes `.`. */}}
{{- define "mlflow.validate.env" -}}
{{- $owned := include "mlflow.env.owned" . | fromYaml -}}
{{- range $name, $value := .Values.mlflow.env -}}
{{- $path := printf "mlflow.env.%s" $name -}}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $name) -}}
{{- include "mlflow.says" (list $path "cannot be the name of a variable" "use letters, digits and '_'") -}}
{{- else if hasKey $owned $name -}}
{{- include "mlflow.says" (list $path "is computed by the chart" (printf "set %s instead" (get $owned $name))) -}}
{{- else if include "mlflow.validate.refusedEnv" (list $name $value) -}}
{{- include "mlflow.validate.refusedEnv" (list $name $value) -}}
{{- else if regexMatch "(PASSWORD|PASSWD|SECRET|TOKEN|_KEY|ACCESS_KEY_ID|CONNECTION_STRING)$" $name -}}
{{- include "mlflow.says" (list $path "would be readable in the Deployment" "put it into a Secret and name that in mlflow.envFrom") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Mapping lines: variables that the chart computes, and the value that each comes from. */}}
{{- define "mlflow.env.owned" -}}
AWS_DEFAULT_REGION: artifactStore.s3.region
AWS_REGION: artifactStore.s3.region
AZURE_STORAGE_ACCESS_KEY: artifactStore.azure.credentialsFromSecret
AZURE_STORAGE_CONNECTION_STRING: artifactStore.azure
GOOGLE_APPLICATION_CREDENTIALS: artifactStore.gcs.credentialsFromSecret
MLFLOW_ARTIFACTS_DESTINATION: artifactStore
MLFLOW_AUTH_ADMIN_PASSWORD: auth.basic.adminFromSecret
MLFLOW_AUTH_ADMIN_USERNAME: auth.basic.adminFromSecret
MLFLOW_AUTH_CONFIG_PATH: auth.basic
MLFLOW_BACKEND_STORE_URI: backendStore
MLFLOW_CRYPTO_KEK_PASSPHRASE: keys.fromSecret
MLFLOW_DEFAULT_ARTIFACT_ROOT: artifactStore.mode
MLFLOW_EXPOSE_PROMETHEUS: metrics.enabled
MLFLOW_FLASK_SERVER_SECRET_KEY: keys.fromSecret
MLFLOW_KUBERNETES_ACCESS_LOG: mlflow.log.access
MLFLOW_KUBERNETES_ALLOWED_SOURCES: artifactStore.allowedSources
MLFLOW_KUBERNETES_APP_NAME: auth.mode
MLFLOW_KUBERNETES_AUTH_PERMISSION: auth.basic.defaultPermission
MLFLOW_KUBERNETES_GRACEFUL_TIMEOUT: terminationGracePeriodSeconds
MLFLOW_KUBERNETES_LAUNCHER: mlflow.launcher
MLFLOW_KUBERNETES_LOG_FORMAT: mlflow.log.format
MLFLOW_KUBERNETES_MAX_BODY_MIB: mlflow.maxRequestBodyMiB
MLFLOW_KUBERNETES_METRICS_INTERVAL: metrics.storeIntervalSeconds
MLFLOW_KUBERNETES_METRICS_PAGES: nothing, the chart knows its own Services
MLFLOW_KUBERNETES_METRICS_PORT: metrics.port
MLFLOW_KUBERNETES_TASKS: prometheusRule.thresholds
MLFLOW_KUBERNETES_THREADS: mlflow.threads
MLFLOW_LOGGING_LEVEL: mlflow.log.level
MLFLOW_PORT: a port of your own before the Service, which has 80 and 5000
MLFLOW_S3_ENDPOINT_URL: artifactStore.s3.endpoint
MLFLOW_SERVER_ALLOWED_HOSTS: mlflow.allowedHosts
MLFLOW_SERVER_CORS_ALLOWED_ORIGINS: mlflow.corsAllowedOrigins
MLFLOW_SERVER_ENABLE_JOB_EXECUTION: jobs.enabled
MLFLOW_SERVER_JOB_EXECUTION_ENGINE: jobs.enabled
MLFLOW_SERVE_ARTIFACTS: artifactStore.mode
MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: backendStore.postgres.maxOverflow
MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: backendStore.postgres.poolRecycle
MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: backendStore.postgres.poolSize
MLFLOW_STATIC_PREFIX: mlflow.staticPrefix
MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: keys.fromSecret
MLFLOW_WORKERS: mlflow.workers
PGDATABASE: backendStore.postgres.database
PGHOST: backendStore.postgres.host
PGPASSWORD: backendStore.postgres.passwordFromSecret
PGPORT: backendStore.postgres.port
PGSSLMODE: backendStore.postgres.sslMode
PGUSER: backendStore.postgres.username
POD_IP: nothing, Kubernetes knows it
STORAGE_EMULATOR_HOST: artifactStore.gcs.endpoint
{{- end }}
