{{- /* Lines: a variable that would change the web server, or which clients it trusts. Takes
(dict "ctx" $ "name" "PATH" "value" "/bin"). */}}
{{- define "mlflow.validate.refusedEnv" -}}
{{- $name := .name -}}
{{- $value := lower .value -}}
{{- $found := false -}}
{{- range .ctx.Files.Get "validation/env-refused.yaml" | fromYamlArray -}}
{{- if and (not $found) (regexMatch (printf "^(%s)$" (join "|" .names)) $name) -}}
{{- $found = true -}}
{{- if not (has $value (default list .unless)) -}}
{{- include "mlflow.says" (dict "path" (printf "mlflow.env.%s" $name) "wrong" .wrong "instead" .instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
