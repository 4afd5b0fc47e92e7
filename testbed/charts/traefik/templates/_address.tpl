{{- /* List lines: what Ingresses and Gateways say about where they are served. Without a load balancer that is the
Service's name, which at least pods understand. Takes `.`. */}}
{{- define "traefik.addressArgs" -}}
{{- $name := printf "%s/%s" .Release.Namespace .Release.Name -}}
{{- $host := printf "%s.%s.svc.cluster.local" .Release.Name .Release.Namespace -}}
{{- if eq .Values.service.type "LoadBalancer" -}}
- --providers.kubernetesingress.ingressendpoint.publishedservice={{ $name }}
- --providers.kubernetesingressnginx.publishservice={{ $name }}
- --providers.kubernetesgateway.statusaddress.service.namespace={{ .Release.Namespace }}
- --providers.kubernetesgateway.statusaddress.service.name={{ .Release.Name }}
{{- else -}}
- --providers.kubernetesingress.ingressendpoint.hostname={{ $host }}
- --providers.kubernetesingressnginx.publishstatusaddress={{ $host }}
- --providers.kubernetesgateway.statusaddress.hostname={{ $host }}
{{- end }}
{{- end }}
