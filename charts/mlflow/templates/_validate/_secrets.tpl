{{- /* Lines: one store to read from, and no settings for a Secret that no pod reads. Takes `.`. */}}
{{- define "mlflow.validate.externalSecrets" -}}
{{- with .Values.externalSecrets -}}
{{- if and .enabled .provider .secretStoreRef.name -}}
{{- include "mlflow.says" (list "externalSecrets.provider" (printf "makes a store of its own beside %s %q" .secretStoreRef.kind .secretStoreRef.name) "set one of provider and secretStoreRef.name") -}}
{{- else if and .enabled (not .provider) (not .secretStoreRef.name) -}}
{{- include "mlflow.says" (list "externalSecrets.secretStoreRef.name" "is empty" "set the name of a store that is in the cluster, or externalSecrets.provider to make one") -}}
{{- end -}}
{{- if and .enabled (not (include "mlflow.externalSecrets" $)) -}}
{{- include "mlflow.says" (list "externalSecrets.enabled" "there is no Secret to fetch" "remove it, or let a store read its credentials from a Secret") -}}
{{- end -}}
{{- $known := merge (include "mlflow.secrets" $ | fromYaml) (include "mlflow.secrets.mentioned" $ | fromYaml) -}}
{{- range $name, $where := .secrets -}}
{{- if not (hasKey $known $name) -}}
{{- include "mlflow.says" (list (printf "externalSecrets.secrets.%s" $name) "the release reads no such Secret" (printf "choose from %s, or name it in mlflow.envFrom, extraVolumes or imagePullSecrets" (keys $known | sortAlpha | join ", " | default "none"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
