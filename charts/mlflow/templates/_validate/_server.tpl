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
  "wrong" (printf "%d leaves no time for requests in flight after %d s of preStopSeconds"
        (int .Values.terminationGracePeriodSeconds) (int .Values.preStopSeconds))
  "instead" (printf "set %d or more" $least)) -}}
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
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" (printf "%q is not a path prefix" .)
  "instead" "write it as /mlflow, with a slash before it and none behind it") -}}
{{- else if regexMatch "(?i)^/(static|health|favicon[.]ico)" . -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" (printf "%s begins like a path for which MLflow asks for no login" $first)
  "instead" "choose another first segment, such as /mlflow") -}}
{{- else if regexMatch
      "(?i)^/(ajax-api|api|build|gateway|get-artifact|graphql|metrics|model-versions|signup|v1|version)$" $first -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" (printf "%s is a path of MLflow itself" $first)
  "instead" "choose another first segment, such as /mlflow") -}}
{{- end -}}
{{- end }}

{{- /* Lines: environment variables that belong elsewhere. Takes `.`. */}}
{{- define "mlflow.validate.env" -}}
{{- $owned := .Files.Get "validation/env-owned.yaml" | fromYaml -}}
{{- $secrets := list -}}
{{- range (include "mlflow.objectStore" .Values.artifactStore | fromJson).secrets -}}
{{- $secrets = append $secrets .variable -}}
{{- end -}}
{{- range $name, $value := .Values.mlflow.env -}}
{{- $path := printf "mlflow.env.%s" $name -}}
{{- $source := kindIs "map" $value -}}
{{- $text := ternary "" $value $source -}}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $name) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "cannot be the name of a variable"
  "instead" "use letters, digits and '_'") -}}
{{- else if hasKey $owned $name -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is computed by the chart"
  "instead" (printf "set %s instead" (get $owned $name))) -}}
{{- else if include "mlflow.validate.refusedEnv" (dict "ctx" $ "name" $name "value" $text) -}}
{{- include "mlflow.validate.refusedEnv" (dict "ctx" $ "name" $name "value" $text) -}}
{{- else if and $source (has $name $secrets) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is in artifactStore.s3.credentialsFromSecret too"
  "instead" "remove it, or set artifactStore.s3.credentialsFromSecret.enabled: false") -}}
{{- else if $source -}}
{{- else if and (eq $name "MLFLOW_S3_UPLOAD_EXTRA_ARGS") (hasKey (fromJson $value) "Error") -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is not a JSON object, so every upload would fail"
  "instead" "set arguments such as {\"ServerSideEncryption\": \"aws:kms\"}") -}}
{{- else if regexMatch "(PASSWORD|PASSWD|SECRET|TOKEN|_KEY|ACCESS_KEY_ID|CONNECTION_STRING)$" $name -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "would be readable in the Deployment"
  "instead" "put it into a Secret and name that in mlflow.envFrom, or here as valueFrom: {secretKeyRef: ...}") -}}
{{- end -}}
{{- end -}}
{{- end }}
