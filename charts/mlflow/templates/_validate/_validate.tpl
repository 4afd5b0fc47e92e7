{{- /*
Nothing, or the end of the rendering with every broken rule in one go. Called once, from NOTES.txt, which
Helm renders with all other templates. What the schema can say is not repeated here: these rules look at
several keys at once, or know a better word than a pattern. Takes `.`.
*/}}
{{- define "mlflow.validate" -}}
{{- $sentences := list -}}
{{- range list "unknown" "enabled" "names" "image" "labels" "server" "env" "replicas" "autoscaling" "disruption"
      "strategy" "postgres" "uri" "pool" "artifactStore" "s3" "azure" "gcs" "allowedSources" "persistence" "auth" "keys"
      "externalSecrets" "pods" "podNames" "metrics" "service" "ingress" "httpRoute" "networkPolicy"
      "retention" "backup" "jobs" -}}
{{- range include (printf "mlflow.validate.%s" .) $ | splitList "\n" -}}
{{- with trim . }}{{ $sentences = append $sentences . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with $sentences }}{{ fail (printf "\n\n%s\n" (join "\n" .)) }}{{ end -}}
{{- end }}

{{- /* Line: one sentence about one value. Takes (dict "path" path "wrong" words "instead" words). */}}
{{- define "mlflow.says" -}}
{{- if ne (len .) 3 }}{{ fail "mlflow.says takes (list path wrong instead)" }}{{ end }}
{{ printf "mlflow: %s: %s; %s." .path .wrong .instead | replace "\n" "\\n" | replace "\r" "\\r" }}
{{- end }}

{{- /* Lines: the name of a Secret that must be there. Takes (dict "path" path "name" name). */}}
{{- define "mlflow.validate.secretName" -}}
{{- $path := .path -}}
{{- $name := .name -}}
{{- if not $name -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is empty"
  "instead" "set the name of a Secret in the namespace of the release") -}}
{{- else if not (regexMatch "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" $name) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q cannot be the name of a Secret" $name)
  "instead" "use lower-case letters, digits, '-' and '.'") -}}
{{- end -}}
{{- end }}
