{{- /* String: `registry/repository:tag@digest` of the server's image. Takes `.`. */}}
{{- define "mlflow.image" -}}
{{- $image := .Values.image -}}
{{- $tag := default (printf "v%s-full" .Chart.AppVersion) $image.tag -}}
{{- with default $image.registry .Values.global.imageRegistry }}{{ . }}/{{ end -}}
{{- printf "%s:%s" $image.repository $tag -}}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end }}
