{{- /* Lines: how the server is reached and how it leaves. Takes `.`. */}}
{{- define "mlflow.validate.server" -}}
{{- include "mlflow.validate.staticPrefix" .Values.mlflow.staticPrefix -}}
{{- range .Values.mlflow.allowedHosts }}{{ if regexMatch "[^A-Za-z0-9.:_*?!\\[\\]-]|:$" . -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.allowedHosts"
  "wrong" (printf "%q is not a host name" .)
  "instead" "list names such as mlflow.example.com, without scheme and path") -}}
{{- end }}{{ end -}}
{{- range .Values.mlflow.corsAllowedOrigins }}{{ if not (regexMatch "^(\\*|https?://[^/, ]+)$" .) -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.corsAllowedOrigins"
  "wrong" (printf "%q is not an origin" .)
  "instead" "list origins such as https://mlflow.example.com, with a scheme and without a path") -}}
{{- end }}{{ end -}}
{{- $least := add .Values.preStopSeconds 10 | int -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) $least -}}
{{- include "mlflow.says" (dict
  "path" "terminationGracePeriodSeconds"
  "wrong" (printf "%d is too short for requests in flight after preStopSeconds, %d"
        (int .Values.terminationGracePeriodSeconds) (int .Values.preStopSeconds))
  "instead" (printf "set %d or more" $least)) -}}
{{- end -}}
{{- end }}

{{- /*
Lines: a path prefix below which the login still asks. MLflow asks for none where a path begins with /static, /health or
/favicon.ico, and serves some paths without the prefix. Takes the prefix.
*/}}
{{- define "mlflow.validate.staticPrefix" -}}
{{- $first := regexFind "^/[^/]+" . -}}
{{- if not . -}}
{{- else if or (not (regexMatch "^(/[A-Za-z0-9._~-]+)+$" .)) (regexMatch "/[.]+(/|$)" .) -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" (printf "%q is not a path prefix" .)
  "instead" "write it as /mlflow, with a slash at the beginning and none at the end") -}}
{{- else if regexMatch "(?i)^/(static|health|favicon[.]ico)" . -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" (printf "%s begins like a path that MLflow serves without login" $first)
  "instead" "choose another first segment, such as /mlflow") -}}
{{- else if regexMatch
      "(?i)^/(ajax-api|api|build|gateway|get-artifact|graphql|metrics|model-versions|signup|v1|version)$" $first -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" (printf "%s is a path of MLflow itself" $first)
  "instead" "choose another first segment, such as /mlflow") -}}
{{- end -}}
{{- end }}

{{- /* Lines: a file of the audit log that outlives the container, on a volume that it can fill. Takes `.`. */}}
{{- define "mlflow.validate.audit" -}}
{{- $file := .Values.mlflow.audit.file -}}
{{- $found := false -}}
{{- range .Values.extraVolumeMounts -}}
{{- if and (not .readOnly) (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $file) }}{{ $found = true }}{{ end -}}
{{- end -}}
{{- if not $file -}}
{{- else if or (not (hasPrefix "/" $file)) (ne $file (clean $file)) -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.audit.file"
  "wrong" (printf "%q is not the path of a file" $file)
  "instead" "write it as /audit/mlflow.jsonl") -}}
{{- else if not $found -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.audit.file"
  "wrong" (printf "%s is not on a writable volume" $file)
  "instead" "mount one with extraVolumes and extraVolumeMounts, or leave it empty for stdout") -}}
{{- end -}}
{{- end }}
