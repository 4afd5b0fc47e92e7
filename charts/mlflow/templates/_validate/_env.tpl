{{- /*
Lines: environment variables that belong elsewhere. All pods use the same stores, so a section says nothing about
stores. Takes `.`.
*/}}
{{- define "mlflow.validate.env" -}}
{{- include "mlflow.validate.variables" (dict "ctx" . "path" "mlflow.env" "env" .Values.mlflow.env) -}}
{{- $owned := .Files.Get "validation/env-owned.yaml" | fromYaml -}}
{{- $stores := join "|" (.Files.Get "validation/env-stores.yaml" | fromYamlArray) | printf "^(%s)$" -}}
{{- range $section, $set := include "mlflow.sections" (dict "ctx" .) | fromJson -}}
{{- $rest := dict -}}
{{- range $name, $value := $set.env -}}
{{- if and (regexMatch $stores $name) (not (hasKey $owned $name)) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.env.%s" $section $name)
  "wrong" "is about the stores, which all pods share"
  "instead" "set it in mlflow.env") -}}
{{- else }}{{ $_ := set $rest $name $value }}{{ end -}}
{{- end -}}
{{- include "mlflow.validate.variables" (dict "ctx" $ "path" (printf "%s.env" $section) "env" $rest) -}}
{{- end -}}
{{- end }}

{{- /* Lines: variables of one place. Takes (dict "ctx" $ "path" "mlflow.env" "env" .Values.mlflow.env). */}}
{{- define "mlflow.validate.variables" -}}
{{- $owned := .ctx.Files.Get "validation/env-owned.yaml" | fromYaml -}}
{{- $secrets := list -}}
{{- range (include "mlflow.objectStore" .ctx.Values.artifactStore | fromJson).secrets -}}
{{- $secrets = append $secrets .variable -}}
{{- end -}}
{{- range $name, $value := .env -}}
{{- $path := printf "%s.%s" $.path $name -}}
{{- $source := kindIs "map" $value -}}
{{- $text := ternary "" $value $source -}}
{{- if not (regexMatch "^[A-Za-z_][A-Za-z0-9_]*$" $name) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is not a valid name of a variable"
  "instead" "use letters, digits and '_'") -}}
{{- else if hasKey $owned $name -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is computed by the chart"
  "instead" (printf "set %s instead" (get $owned $name))) -}}
{{- else if include "mlflow.validate.refusedEnv" (dict "ctx" $.ctx "path" $path "name" $name "value" $text) -}}
{{- include "mlflow.validate.refusedEnv" (dict "ctx" $.ctx "path" $path "name" $name "value" $text) -}}
{{- else if and $source (has $name $secrets) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is also set by artifactStore.s3.credentialsFromSecret"
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
  "wrong" (printf "would be readable in the %s" (ternary "Deployment" "object" (eq $.path "mlflow.env")))
  "instead" (printf "put it into a Secret and name that in %sFrom, or here as valueFrom: {secretKeyRef: ...}"
        $.path)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a variable that would change the web server, or which clients it trusts. Takes
(dict "ctx" $ "path" "mlflow.env.PATH" "name" "PATH" "value" "/bin"). */}}
{{- define "mlflow.validate.refusedEnv" -}}
{{- $name := .name -}}
{{- $value := lower .value -}}
{{- $found := false -}}
{{- range .ctx.Files.Get "validation/env-refused.yaml" | fromYamlArray -}}
{{- if and (not $found) (regexMatch (printf "^(%s)$" (join "|" .names)) $name) -}}
{{- $found = true -}}
{{- if not (has $value (default list .unless)) -}}
{{- include "mlflow.says" (dict "path" $.path "wrong" .wrong "instead" .instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
