{{- /* Mapping lines: who a pod of the release is and what it may do. Takes `.`. */}}
{{- define "mlflow.pod.identity" -}}
{{- include "mlflow.pod.identityAs" (dict "ctx" . "serviceAccount" (include "mlflow.serviceAccountName" .)) -}}
{{- end }}

{{- /* Mapping lines: the same with a ServiceAccount of its own. Takes (dict "ctx" $ "serviceAccount" name). */}}
{{- define "mlflow.pod.identityAs" -}}
serviceAccountName: {{ .serviceAccount | quote }}
{{- with .ctx }}
automountServiceAccountToken: false
{{- /* Else a Service called mlflow sets MLFLOW_PORT=tcp://..., which MLflow takes for its own setting. */}}
enableServiceLinks: false
{{- with concat (default list .Values.global.imagePullSecrets) .Values.imagePullSecrets | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Mapping lines: on which nodes a pod of the release may run. Takes `.`. */}}
{{- define "mlflow.pod.placement" -}}
{{- range $key := list "priorityClassName" "nodeSelector" "affinity" "tolerations" }}
{{- with get $.Values $key }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Mapping lines: topology spread of a component's pods. Takes (dict "ctx" $ "component" "server"). */}}
{{- define "mlflow.pod.spread" -}}
{{- $selector := dict "matchLabels" (include "mlflow.selectorLabels" . | fromYaml) -}}
{{- with .ctx.Values.topologySpreadConstraints -}}
topologySpreadConstraints:
  {{- range . }}
  {{- $given := ternary . (set (deepCopy .) "labelSelector" $selector) (hasKey . "labelSelector") }}
  {{- list $given | toYaml | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /*
List lines: containers of the user's. One without a securityContext gets the chart's, so that a restricted
namespace admits it. Takes (dict "ctx" $ "key" "extraContainers").
*/}}
{{- define "mlflow.pod.extra" -}}
{{- $security := .ctx.Values.containerSecurityContext -}}
{{- range get .ctx.Values .key }}
{{- $given := ternary . (set (deepCopy .) "securityContext" $security) (hasKey . "securityContext") }}
{{ list $given | toYaml }}
{{- end }}
{{- end }}

{{- /*
List lines: a command below a process 1 that takes SIGTERM at any moment and reaps orphans. No process namespace is
shared for that: in one, a container reads the environment of the others. Takes (dict "words" (list ...)).
*/}}
{{- define "mlflow.command" -}}
{{- $words := list "/bin/sh" "/opt/mlflow-kubernetes/init.sh" -}}
{{- range .words }}{{ $words = append $words (include "mlflow.literal" .) }}{{ end -}}
{{- toYaml $words -}}
{{- end }}

{{- /* Mapping lines: a probe of the server. Takes (dict "ctx" $ "name" "startupProbe"). */}}
{{- define "mlflow.probe" -}}
{{- $ctx := .ctx -}}
{{- $name := .name -}}
{{ $name }}:
  httpGet:
    path: {{ printf "%s/health" $ctx.Values.mlflow.staticPrefix | quote }}
    port: http
  {{- range $key := list "periodSeconds" "timeoutSeconds" "failureThreshold" }}
  {{- with get (get $ctx.Values $name) $key }}
  {{ $key }}: {{ int . }}
  {{- end }}
  {{- end }}
{{- end }}
