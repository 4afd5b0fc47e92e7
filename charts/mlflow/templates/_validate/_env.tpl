{{- /* Lines: a variable that would change the web server, or whom it trusts. Takes (list name value). */}}
{{- define "mlflow.validate.refusedEnv" -}}
{{- $name := index . 0 -}}
{{- $value := index . 1 | lower -}}
{{- $found := false -}}
{{- range include "mlflow.env.refused" . | fromYamlArray -}}
{{- if and (not $found) (regexMatch (printf "^(%s)$" .names) $name) -}}
{{- $found = true -}}
{{- if not (has $value (default list .unless)) -}}
{{- include "mlflow.says" (list (printf "mlflow.env.%s" $name) .wrong .instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
List lines: refused variables as a regular expression, what is wrong with them, and what to set instead. The first match
counts; a value in `unless` is allowed. The launcher refuses the same ones where `mlflow.envFrom` brings them.
*/}}
{{- define "mlflow.env.refused" -}}
- names: FORWARDED_ALLOW_IPS|PROXY_ALLOW_FROM
  wrong: lets headers of a request change its client address, scheme and path
  instead: remove it
- names: SCRIPT_NAME
  wrong: changes the path by which MLflow decides whether to ask for a login
  instead: set mlflow.staticPrefix instead
- names: WEB_CONCURRENCY
  wrong: changes the number of workers
  instead: set mlflow.workers instead
- names: MLFLOW_HOST
  wrong: is computed by the chart
  instead: remove it, the server listens on every address of its pod
- names: (GUNICORN|UVICORN|GRANIAN|HYPERCORN|WAITRESS|LISTEN)_.*|MLFLOW_(GUNICORN|UVICORN|GRANIAN|HYPERCORN|WAITRESS)_OPTS|NOTIFY_SOCKET|PORT|SENDFILE
  wrong: changes the web server
  instead: set mlflow.workers, mlflow.threads or mlflow.log, or remove it
- names: (FLASK|WERKZEUG|FASTAPI|STARLETTE)_.*
  wrong: changes MLflow's web framework, to its debug mode for example
  instead: set mlflow.log.level, or remove it
- names: SERVER_(NAME|PORT|PROTOCOL|SOFTWARE)|REMOTE_(ADDR|HOST|IDENT|PORT|USER)|AUTH_TYPE|CONTENT_(LENGTH|TYPE)|GATEWAY_INTERFACE|PATH_(INFO|TRANSLATED)|QUERY_STRING|REQUEST_(METHOD|SCHEME|URI)|RAW_URI|HTTPS|HTTP_(AUTHORIZATION|COOKIE|FORWARDED|HOST|ORIGIN|X_.*)
  wrong: is the name of a part of a request
  instead: remove it
- names: MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE
  wrong: turns off the checks of Host and Origin
  instead: set mlflow.allowedHosts and mlflow.corsAllowedOrigins instead
- names: MLFLOW_ENABLE_(REMOTE_ASSISTANT|ASSISTANT_SANDBOX)|MLFLOW_(ASSISTANT|SANDBOX)_.*
  wrong: is for MLflow's Assistant, which runs commands in the server's container and is not available here
  instead: remove it
- names: MLFLOW_BASIC_AUTH_FAIL_CLOSED|MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH
  unless: ["true", "1"]
  wrong: lets every account use routes that have no check of permissions
  instead: set it to "true", or remove it
- names: PATH|PYTHON(BREAKPOINT|EXECUTABLE|HOME|INSPECT|OPTIMIZE|PATH|PLATLIBDIR|PYCACHEPREFIX|SAFEPATH|STARTUP|USERBASE|WARNINGS)
  wrong: changes which code runs in the pod
  instead: put packages into an image of your own (image.repository), or remove it
- names: _MLFLOW_.*|MLFLOW_SERVER_PID|PROMETHEUS_MULTIPROC_DIR|prometheus_multiproc_dir
  wrong: is internal to MLflow
  instead: set the key of this chart or the variable of MLflow that it comes from, or remove it
- names: MLFLOW_KUBERNETES_.*
  wrong: is internal to the chart
  instead: remove it
{{- end }}
