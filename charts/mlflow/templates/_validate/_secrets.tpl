{{- /* Lines: one store to read from, and no settings for a Secret that no pod reads. Takes `.`. */}}
{{- define "mlflow.validate.externalSecrets" -}}
{{- with .Values.externalSecrets -}}
{{- if and .enabled .provider .secretStoreRef.name -}}
{{- include "mlflow.says" (dict
  "path" "externalSecrets.provider"
  "wrong" (printf "is a second store beside %s %q" .secretStoreRef.kind .secretStoreRef.name)
  "instead" "set one of provider and secretStoreRef.name") -}}
{{- else if and .enabled (not .provider) (not .secretStoreRef.name) -}}
{{- include "mlflow.says" (dict
  "path" "externalSecrets.secretStoreRef.name"
  "wrong" "is empty"
  "instead" "set the name of an existing store, or externalSecrets.provider to create one") -}}
{{- end -}}
{{- if and .enabled (not (include "mlflow.externalSecrets" $ | fromJson)) -}}
{{- include "mlflow.says" (dict
  "path" "externalSecrets.enabled"
  "wrong" "the release uses no Secret"
  "instead" "remove it, or configure a store with a Secret") -}}
{{- end -}}
{{- $known := merge (include "mlflow.secrets" (dict "ctx" $) | fromJson)
      (include "mlflow.secrets.mentioned" $ | fromJson) -}}
{{- range $name, $where := .secrets -}}
{{- if not (hasKey $known $name) -}}
{{- include "mlflow.says" (dict
  "path" (printf "externalSecrets.secrets.%s" $name)
  "wrong" "the release reads no such Secret"
  "instead" (printf "set one of %s, or add it to mlflow.envFrom, extraVolumes or imagePullSecrets"
        (keys $known | sortAlpha | join ", " | default "none"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
