{{- /*
Nothing, or the end of the rendering with every broken rule in one go. Called once, before all other templates.
A rule may look at several keys. Where a switch is wrong they would mislead, and so would a second sentence about a
wrong value. Takes (dict "ctx" $ "found" wrong values as `mlflow.schema.check` finds them "unknown" lines).
*/}}
{{- define "mlflow.validate" -}}
{{- $sentences := concat (splitList "\n" .unknown) (values .found.sentences | sortAlpha) -}}
{{- if not .found.switch -}}
{{- range list "enabled" "names" "image" "labels" "server" "audit" "env" "replicas" "autoscaling" "disruption"
      "strategy" "postgres" "uri" "pool" "artifactStore" "s3" "azure" "gcs" "allowedSources" "persistence" "auth" "keys"
      "externalSecrets" "pods" "podNames" "metrics" "service" "ingress" "httpRoute" "networkPolicy"
      "retention" "backup" "jobs" -}}
{{- range include (printf "mlflow.validate.%s" .) $.ctx | splitList "\n" -}}
{{- $path := regexFind "^mlflow: [^:]*" . | trimPrefix "mlflow: " -}}
{{- $again := "" -}}
{{- range keys $.found.sentences -}}
{{- $again = printf "%s%s" $again (include "mlflow.schema.related" (dict "one" $path "other" .)) -}}
{{- end -}}
{{- if not $again }}{{ $sentences = append $sentences . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $all := list -}}
{{- range $sentences }}{{ with trim . }}{{ $all = append $all . }}{{ end }}{{ end -}}
{{- with $all -}}
{{- fail (printf "\n\n%s\n" (join "\n" .)) -}}
{{- /* `helm lint` only warns of a fail, and comes here. */ -}}
{{- include (join " " .) $ -}}
{{- end -}}
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
