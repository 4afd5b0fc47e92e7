{{- /* Lines: a Service's name begins with a letter. Takes `.`. */}}
{{- define "mlflow.validate.names" -}}
{{- $name := include "mlflow.fullname" . -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- include "mlflow.says" (list "fullnameOverride" (printf "a Service cannot be called %q, as the release would have it" $name) "set a name that begins with a letter") -}}
{{- end -}}
{{- end }}

{{- /* Lines: each part of the image's name in its own key. Takes `.`. */}}
{{- define "mlflow.validate.image" -}}
{{- range $path, $registry := dict "image.registry" .Values.image.registry "global.imageRegistry" (default "" .Values.global.imageRegistry) -}}
{{- if regexMatch "://|/$" $registry -}}
{{- include "mlflow.says" (list $path (printf "%q is not a registry" $registry) "write it as registry.example.com:5000, without scheme and slash") -}}
{{- end -}}
{{- end -}}
{{- with .Values.image -}}
{{- if regexMatch "@|:[^/]*$" .repository -}}
{{- include "mlflow.says" (list "image.repository" (printf "%q holds a tag or a digest" .repository) "set image.tag or image.digest instead") -}}
{{- end -}}
{{- if and .digest (not (regexMatch "^sha256:[a-f0-9]{64}$" .digest)) -}}
{{- include "mlflow.says" (list "image.digest" (printf "%q is not a digest" .digest) "write it as sha256: and 64 hexadecimal digits") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: labels and annotations that would stand twice in an object. Takes `.`. */}}
{{- define "mlflow.validate.labels" -}}
{{- $own := "^(app|app\\.kubernetes\\.io/(name|instance|component|version|part-of|managed-by)|helm\\.sh/chart)$" -}}
{{- $common := .Values.commonLabels -}}
{{- $all := dict "commonLabels" $common "podLabels" .Values.podLabels "tasks.podLabels" .Values.tasks.podLabels -}}
{{- range $key := list "dashboard" "prometheusRule" "serviceAccount" "serviceMonitor" -}}
{{- $_ := set $all (printf "%s.labels" $key) (get $.Values $key).labels -}}
{{- end -}}
{{- $_ := set $all "backup.serviceAccount.labels" .Values.backup.serviceAccount.labels -}}
{{- range $path, $labels := $all -}}
{{- range $label, $value := $labels -}}
{{- if regexMatch $own $label -}}
{{- include "mlflow.says" (list (printf "%s.%s" $path $label) "is set by the chart" "choose another label") -}}
{{- else if and (ne $path "commonLabels") (hasKey $common $label) -}}
{{- include "mlflow.says" (list (printf "%s.%s" $path $label) "is in commonLabels too" "keep one of them") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.podAnnotations "checksum/files" -}}
{{- include "mlflow.says" (list "podAnnotations.checksum/files" "is set by the chart" "choose another annotation") -}}
{{- end -}}
{{- end }}

{{- /* Lines: who the pods run as. Takes `.`. */}}
{{- define "mlflow.validate.pods" -}}
{{- with .Values.podSecurityContext -}}
{{- if and .runAsNonRoot (hasKey . "runAsUser") (eq (int .runAsUser) 0) -}}
{{- include "mlflow.says" (list "podSecurityContext.runAsUser" "0 is root, which runAsNonRoot forbids" "set a number above 0") -}}
{{- end -}}
{{- end -}}
{{- with .Values.serviceAccount -}}
{{- if and (not .create) (or .annotations .labels) -}}
{{- include "mlflow.says" (list "serviceAccount.create" "is false, so annotations and labels reach no ServiceAccount" "set them on yours and remove them here") -}}
{{- end -}}
{{- end -}}
{{- end }}
