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
{{- $owned := .Files.Get "validation/env-owned.yaml" | fromYaml -}}
{{- range $name, $value := .Values.mlflow.env -}}
{{- $path := printf "mlflow.env.%s" $name -}}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $name) -}}
{{- include "mlflow.says" (list $path "cannot be the name of a variable" "use letters, digits and '_'") -}}
{{- else if hasKey $owned $name -}}
{{- include "mlflow.says" (list $path "is computed by the chart" (printf "set %s instead" (get $owned $name))) -}}
{{- else if include "mlflow.validate.refusedEnv" (dict "ctx" $ "name" $name "value" $value) -}}
{{- include "mlflow.validate.refusedEnv" (dict "ctx" $ "name" $name "value" $value) -}}
{{- else if regexMatch "(PASSWORD|PASSWD|SECRET|TOKEN|_KEY|ACCESS_KEY_ID|CONNECTION_STRING)$" $name -}}
{{- include "mlflow.says" (list $path "would be readable in the Deployment" "put it into a Secret and name that in mlflow.envFrom") -}}
{{- end -}}
{{- end -}}
{{- end }}
