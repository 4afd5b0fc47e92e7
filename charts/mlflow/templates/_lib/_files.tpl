{{- /*
Mapping lines: `data` and `binaryData` of the ConfigMap with the chart's Python and its shell script. Also what the pods'
checksum is made of. Takes `.`.
*/}}
{{- define "mlflow.files.data" -}}
{{- with (.Files.Glob "files/*.{py,sh}").AsConfig -}}
data:
  {{- regexReplaceAll "(?m)^ +$" (nindent 2 .) "" }}
{{- end }}
{{- $wheels := .Files.Glob "files/*.whl" -}}
{{- if $wheels }}
binaryData:
  {{- range $path, $content := $wheels }}
  {{ base $path }}: {{ toString $content | b64enc }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* String: name of that ConfigMap. Takes `.`. */}}
{{- define "mlflow.files.name" -}}
{{- include "mlflow.nameWith" (dict "ctx" . "suffix" "files") -}}
{{- end }}
