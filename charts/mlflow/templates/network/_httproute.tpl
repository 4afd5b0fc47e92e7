{{- /*
List lines: Gateways, with the defaults that the API server would add: tools such as Argo CD compare what is stored with
what was rendered. Takes the list of `httpRoute.parentRefs`.
*/}}
{{- define "mlflow.httpRoute.parentRefs" -}}
{{- $refs := list -}}
{{- range . -}}
{{- $full := dict "group" "gateway.networking.k8s.io" "kind" "Gateway" -}}
{{- /* Not merged: an empty group is that of Services. */ -}}
{{- range $key, $value := . }}{{ $_ := set $full $key $value }}{{ end -}}
{{- $refs = append $refs $full -}}
{{- end -}}
{{- toYaml $refs -}}
{{- end }}

{{- /* List lines: filters, with the same kind of defaults. Takes the list of `httpRoute.filters`. */}}
{{- define "mlflow.httpRoute.filters" -}}
{{- $defaults := dict
      "cors" (dict "maxAge" 5)
      "requestMirror" (dict "backendRef" (dict "group" "" "kind" "Service"))
      "requestRedirect" (dict "statusCode" 302) -}}
{{- $filters := list -}}
{{- range $filter := . -}}
{{- $full := deepCopy $filter -}}
{{- range $key, $default := $defaults -}}
{{- if get $filter $key }}{{ $_ := set $full $key (merge (dict) (get $filter $key) (deepCopy $default)) }}{{ end -}}
{{- end -}}
{{- $filters = append $filters $full -}}
{{- end -}}
{{- toYaml $filters -}}
{{- end }}
