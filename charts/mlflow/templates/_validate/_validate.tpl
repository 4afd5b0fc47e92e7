{{- /*
Nothing, or the end of the rendering with every broken rule in one go. Called once, from NOTES.txt, which
Helm renders with all other templates. What the schema can say is not repeated here: these rules look at
several keys at once, or know a better word than a pattern. Takes `.`.
*/}}
{{- define "mlflow.validate" -}}
{{- $sentences := list -}}
{{- range list "renamed" "names" "image" "labels" "server" "env" "replicas" "autoscaling" "disruption" "strategy" "postgres" "uri" "pool" "artifactStore" "s3" "azure" "gcs" "allowedSources" "persistence" "auth" "keys" "externalSecrets" "pods" "volumes" "containers" "metrics" "ingress" "httpRoute" "networkPolicy" "retention" "backup" "jobs" -}}
{{- range include (printf "mlflow.validate.%s" .) $ | splitList "\n" -}}
{{- with trim . }}{{ $sentences = append $sentences . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with $sentences }}{{ fail (printf "\n\n%s\n" (join "\n" .)) }}{{ end -}}
{{- end }}

{{- /* Line: one sentence about one value. Takes (list path wrong instead). */}}
{{- define "mlflow.says" -}}
{{- if ne (len .) 3 }}{{ fail "mlflow.says takes (list path wrong instead)" }}{{ end }}
{{ printf "mlflow: %s: %s; %s." (index . 0) (index . 1) (index . 2) | replace "\n" "\\n" | replace "\r" "\\r" }}
{{- end }}

{{- /* Lines: the name of a Secret that must be there. Takes (list path name). */}}
{{- define "mlflow.validate.secretName" -}}
{{- $path := index . 0 -}}
{{- $name := index . 1 -}}
{{- if not $name -}}
{{- include "mlflow.says" (list $path "is empty" "set the name of a Secret in the namespace of the release") -}}
{{- else if not (regexMatch "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" $name) -}}
{{- include "mlflow.says" (list $path (printf "%q cannot be the name of a Secret" $name) "use lower-case letters, digits, '-' and '.'") -}}
{{- end -}}
{{- end }}
