{{- /* Lines: each part of an image's name in its own key. Takes `.`. */}}
{{- define "mlflow.validate.image" -}}
{{- $defaults := .Files.Get "validation/defaults.yaml" | fromYaml -}}
{{- $registries := (include "mlflow.facts" . | fromJson).registries -}}
{{- $global := default "" .Values.global.imageRegistry -}}
{{- include "mlflow.validate.registry" (dict "path" "global.imageRegistry" "registry" $global) -}}
{{- range $path, $image := dict "image" .Values.image "backup.image" .Values.backup.image -}}
{{- include "mlflow.validate.registry" (dict "path" (printf "%s.registry" $path) "registry" $image.registry) -}}
{{- include "mlflow.validate.repository" (dict
  "path" $path
  "image" $image
  "within" (get $registries $path)
  "global" $global
  "default" (get $defaults (printf "%s.registry" $path))) -}}
{{- if and $image.digest (not (regexMatch "^sha256:[a-f0-9]{64}$" $image.digest)) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.digest" $path)
  "wrong" (printf "%q is not a digest" $image.digest)
  "instead" "write it as sha256: and 64 hexadecimal digits") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a registry and nothing else. Takes (dict "path" "image.registry" "registry" "ghcr.io"). */}}
{{- define "mlflow.validate.registry" -}}
{{- if regexMatch "://|/$" .registry -}}
{{- include "mlflow.says" (dict
  "path" .path
  "wrong" (printf "%q is not a registry" .registry)
  "instead" "write it as registry.example.com:5000, without scheme and slash") -}}
{{- end -}}
{{- end }}

{{- /*
Lines: a repository without tag and digest, and with the registry in one place. Takes (dict "path" "image" "image"
.Values.image "within" "" "global" "" "default" "ghcr.io"): the registry in the repository, and that of values.yaml.
*/}}
{{- define "mlflow.validate.repository" -}}
{{- $path := .path -}}
{{- $repository := .image.repository -}}
{{- $within := .within -}}
{{- $set := default .image.registry .global -}}
{{- $key := ternary "global.imageRegistry" (printf "%s.registry" $path) (ne .global "") -}}
{{- if regexMatch "@|:[^/]*$" $repository -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.repository" $path)
  "wrong" (printf "%q contains a tag or a digest" $repository)
  "instead" (printf "set %s.tag or %s.digest instead" $path $path)) -}}
{{- else if and $within (not (has $set (list "" $within .default))) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.repository" $path)
  "wrong" (printf "contains registry %s, and %s is %s" $within $key $set)
  "instead" "remove one of them") -}}
{{- end -}}
{{- end }}
