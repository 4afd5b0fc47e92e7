{{- /* List lines: the peers that are the release itself. Takes `.`. */}}
{{- define "mlflow.network.self" -}}
- podSelector:
    matchLabels:
      {{- include "mlflow.labels" (dict "ctx" . "of" "selector") | fromJson | toYaml | nindent 6 }}
{{- end }}

{{- /* List lines: which clients may connect. Ports are the pods', not the Service's. Takes `.`. */}}
{{- define "mlflow.network.ingress" -}}
{{- $peers := .Values.networkPolicy.peers -}}
- from:
    {{- include "mlflow.network.self" . | nindent 4 }}
{{- if and $peers.ingressController (or .Values.ingress.enabled .Values.httpRoute.enabled) }}
- from:
    {{- toYaml $peers.ingressController | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ int (include "mlflow.facts" . | fromJson).port }}
{{- end }}
{{- if and $peers.prometheus .Values.metrics.enabled }}
- from:
    {{- toYaml $peers.prometheus | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ int .Values.metrics.port }}
{{- end }}
{{- with .Values.auth.kubernetes.userHeader }}{{ if and .enabled (eq $.Values.auth.mode "kubernetes") }}
- from:
    {{- toYaml .gateway | nindent 4 }}
  ports:
    - protocol: TCP
      port: {{ int (include "mlflow.facts" $ | fromJson).port }}
{{- end }}{{ end }}
{{- with .Values.networkPolicy.ingress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* List lines: what the pods may reach. Takes `.`. */}}
{{- define "mlflow.network.egress" -}}
- to:
    {{- include "mlflow.network.self" . | nindent 4 }}
- to:
    {{- toYaml .Values.networkPolicy.peers.dns | nindent 4 }}
  ports:
    {{- range list 53 5353 }}
    - protocol: UDP
      port: {{ int . }}
    - protocol: TCP
      port: {{ int . }}
    {{- end }}
{{- range $name, $store := include "mlflow.network.stores" . | fromYaml }}
- to:
    {{- include "mlflow.network.storePeers" (dict "ctx" $ "store" $name "host" $store.host) | nindent 4 }}
  ports:
    {{- range $store.ports | default (list $store.port) }}
    - protocol: TCP
      port: {{ int . }}
    {{- end }}
{{- end }}
{{- $identity := include "mlflow.network.identity" .Values.artifactStore | fromYamlArray -}}
{{- if .Values.backup.enabled -}}
{{- $identity = include "mlflow.backup.store" . | fromJson | include "mlflow.network.identity" | fromYamlArray |
      concat $identity | uniq -}}
{{- end -}}
{{- with .Values.backendStore.postgres }}{{ if and .enabled (eq .login "awsIam") -}}
{{- $identity = append $identity (dict "cidr" "169.254.170.23/32" "port" (float64 80)) | uniq -}}
{{- end }}{{ end -}}
{{- range $identity }}
- to:
    - ipBlock:
        cidr: {{ .cidr | quote }}
  ports:
    - protocol: TCP
      port: {{ int .port }}
{{- end }}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
