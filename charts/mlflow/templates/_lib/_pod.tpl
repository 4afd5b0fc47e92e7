{{- /* Mapping lines: who a pod of the release is and what it may do. Takes `.`. */}}
{{- define "mlflow.pod.identity" -}}
{{- include "mlflow.pod.identityAs" (list . (include "mlflow.serviceAccountName" .)) -}}
{{- end }}

{{- /* Mapping lines: the same with a ServiceAccount of its own. Takes (list $ name). */}}
{{- define "mlflow.pod.identityAs" -}}
serviceAccountName: {{ index . 1 | quote }}
{{- with index . 0 }}
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
namespace admits it. Takes (list $ "extraContainers").
*/}}
{{- define "mlflow.pod.extra" -}}
{{- $security := (index . 0).Values.containerSecurityContext -}}
{{- range get (index . 0).Values (index . 1) }}
{{- $given := ternary . (set (deepCopy .) "securityContext" $security) (hasKey . "securityContext") }}
{{ list $given | toYaml }}
{{- end }}
{{- end }}

{{- /* Mapping lines: what a container that runs MLflow starts from, up to its environment. Takes (list $ "server"), and arguments if any. */}}
{{- define "mlflow.container.start" -}}
{{- $ctx := index . 0 -}}
image: {{ include "mlflow.image" $ctx | quote }}
imagePullPolicy: {{ $ctx.Values.image.pullPolicy | quote }}
command:
  {{- include "mlflow.command" (concat (list "python" "/opt/mlflow-kubernetes/mlflow_kubernetes" (index . 1)) (slice . 2)) | nindent 2 }}
env:
  {{- include "mlflow.env" (list $ctx (index . 1)) | nindent 2 }}
{{- with include "mlflow.envFrom" (list $ctx (index . 1)) | fromYamlArray }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /*
List lines: a command below a process 1 that takes SIGTERM at any moment and reaps orphans. No process namespace is shared
for that: in one, a container reads the environment of the others. Takes the words of the command.
*/}}
{{- define "mlflow.command" -}}
{{- $words := list "/bin/sh" "/opt/mlflow-kubernetes/init.sh" -}}
{{- range . }}{{ $words = append $words (include "mlflow.literal" .) }}{{ end -}}
{{- toYaml $words -}}
{{- end }}

{{- /* Mapping lines: what a container that runs MLflow may use and see. Takes `.`. */}}
{{- define "mlflow.container.limits" -}}
{{- with .Values.mlflow.resources -}}
resources:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- with .Values.containerSecurityContext -}}
securityContext:
  {{- toYaml . | nindent 2 }}
{{ end -}}
volumeMounts:
  {{- include "mlflow.volumeMounts" . | nindent 2 }}
{{- end }}

{{- /* Mapping lines: a probe of the server. Takes (list $ "startupProbe"). */}}
{{- define "mlflow.probe" -}}
{{- $ctx := index . 0 -}}
{{- $name := index . 1 -}}
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
