{{- /* Lines: a NetworkPolicy that would shut out what the values ask for. Takes `.`. */}}
{{- define "mlflow.validate.networkPolicy" -}}
{{- with .Values.networkPolicy -}}
{{- if .enabled -}}
{{- $outside := or $.Values.ingress.enabled $.Values.httpRoute.enabled -}}
{{- if and $outside (not .peers.ingressController) (not .ingress) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.ingressController"
  "wrong" "is empty, so the Ingress or HTTPRoute cannot reach the server"
  "instead" "list the peers of the controller") -}}
{{- end -}}
{{- if and $.Values.serviceMonitor.enabled (not .peers.prometheus) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.prometheus"
  "wrong" "is empty, so Prometheus cannot scrape the pods"
  "instead" "list the peers of Prometheus") -}}
{{- end -}}
{{- if not .peers.dns -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.dns"
  "wrong" "is empty, so pods cannot resolve names"
  "instead" "list the DNS servers") -}}
{{- end -}}
{{- if and (ne $.Values.service.type "ClusterIP") (not .ingress) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.ingress"
  "wrong" (printf "allows no client of a Service of type %s" $.Values.service.type)
  "instead" "list the addresses of its clients as from: [{ipBlock: {cidr: 10.0.0.0/8}}]") -}}
{{- end -}}
{{- range .ingress }}{{ range .ports }}{{ if has (.port | toString) (list "80" "mlflow") -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.ingress"
  "wrong" (printf "port %v is the port of the Service, and a NetworkPolicy applies to ports of pods" .port)
  "instead" (printf "set port: %v" (include "mlflow.facts" $ | fromJson).port)) -}}
{{- end }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end }}
