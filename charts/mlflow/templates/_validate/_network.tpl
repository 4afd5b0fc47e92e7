{{- /* Lines: a NetworkPolicy that would shut out what the values ask for. Takes `.`. */}}
{{- define "mlflow.validate.networkPolicy" -}}
{{- with .Values.networkPolicy -}}
{{- if .enabled -}}
{{- $outside := or $.Values.ingress.enabled $.Values.httpRoute.enabled -}}
{{- if and $outside (not .peers.ingressController) (not .ingress) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.ingressController"
  "wrong" "is empty, so the Ingress or HTTPRoute would lead to nothing"
  "instead" "list where its controller runs") -}}
{{- end -}}
{{- if and $.Values.serviceMonitor.enabled (not .peers.prometheus) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.prometheus"
  "wrong" "is empty, so the ServiceMonitor would find nothing"
  "instead" "list where Prometheus runs") -}}
{{- end -}}
{{- if not .peers.dns -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.dns"
  "wrong" "is empty, so the pods would find no name"
  "instead" "list who answers DNS") -}}
{{- end -}}
{{- if and (ne $.Values.service.type "ClusterIP") (not .ingress) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.ingress"
  "wrong" (printf "admits no client through a Service of type %s" $.Values.service.type)
  "instead" "list the addresses of its clients as from: [{ipBlock: {cidr: 10.0.0.0/8}}]") -}}
{{- end -}}
{{- range .ingress }}{{ range .ports }}{{ if has (.port | toString) (list "80" "mlflow") -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.ingress"
  "wrong" (printf "port %v is the Service's, and a policy sees the pod's" .port)
  "instead" (printf "set port: %v" (include "mlflow.facts" $ | fromJson).port)) -}}
{{- end }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end }}
