{{- /*
List lines: one environment entry that reads a Secret. Takes (dict "variable" "PGPASSWORD" "secret" name "key" key).
*/}}
{{- define "mlflow.envFromSecret" -}}
- name: {{ .variable | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- end }}

{{- /*
String: a word in the form that Kubernetes passes on as it is: it puts a variable in for $(NAME), and one $ for $$. For
each environment entry and argument that has a part of the values in it. Takes the word.
*/}}
{{- define "mlflow.literal" -}}
{{- ternary (replace "$" "$$" (toString .)) . (regexMatch "[$][$(]" (toString .)) -}}
{{- end }}

{{- /*
List lines: environment entries, sorted by name. Two of them refer to variables; what they hold of the values is literal
or has no dollar sign. Takes a mapping of names to values.
*/}}
{{- define "mlflow.env.entries" -}}
{{- range $name, $value := . }}
{{- $refers := has $name (list "AZURE_STORAGE_CONNECTION_STRING" "MLFLOW_SERVER_ALLOWED_HOSTS") }}
- name: {{ $name | quote }}
  value: {{ ternary $value (include "mlflow.literal" $value) $refers | quote }}
{{- end }}
{{- end }}
