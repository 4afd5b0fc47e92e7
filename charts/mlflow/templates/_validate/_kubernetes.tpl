{{- /* Lines: a server that can run the plugin of auth.mode kubernetes. Takes `.`. */}}
{{- define "mlflow.validate.kubernetesServer" -}}
{{- if ne .Values.mlflow.launcher "upstream" -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.launcher"
  "wrong" (printf "%s does not support auth.mode kubernetes" .Values.mlflow.launcher)
  "instead" "set upstream") -}}
{{- end -}}
{{- end }}

{{- /* Lines: only the gateway reaches a server that believes the header of a user. Takes `.`. */}}
{{- define "mlflow.validate.userHeader" -}}
{{- $path := "auth.kubernetes.userHeader" -}}
{{- if not .Values.networkPolicy.enabled -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.enabled" $path)
  "wrong" "each client that reaches the server could name any user in the header"
  "instead" "set networkPolicy.enabled: true too, so that only the gateway reaches it") -}}
{{- end -}}
{{- if not .Values.auth.kubernetes.userHeader.gateway -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.gateway" $path)
  "wrong" "is empty, so nothing that sets the header reaches the server"
  "instead" "list the peers of the gateway") -}}
{{- end -}}
{{- range $key, $open := dict "ingress.enabled" .Values.ingress.enabled "httpRoute.enabled" .Values.httpRoute.enabled
      "networkPolicy.ingress" .Values.networkPolicy.ingress }}{{ if $open -}}
{{- include "mlflow.says" (dict
  "path" $key
  "wrong" (printf "lets in clients that could name any user in the header of %s" $path)
  "instead" (printf "remove it, and list the gateway in %s.gateway" $path)) -}}
{{- end }}{{ end -}}
{{- range $number, $peer := .Values.auth.kubernetes.userHeader.gateway -}}
{{- if not (or $peer.ipBlock (get ($peer.podSelector | default dict) "matchLabels")
      (get ($peer.podSelector | default dict) "matchExpressions")) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.gateway[%d]" $path $number)
  "wrong" "has no labels of pods, so each pod of a namespace could name any user"
  "instead" "set podSelector.matchLabels beside namespaceSelector") -}}
{{- end -}}
{{- end -}}
{{- end }}
