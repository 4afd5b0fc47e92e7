{{- /*
Mapping lines: who a pod of the release is, what it may do and on which nodes. Takes (dict "ctx" $), with
"serviceAccount" name for another than the server's.
*/}}
{{- define "mlflow.pod" -}}
serviceAccountName: {{ default (include "mlflow.facts" .ctx | fromJson).serviceAccount .serviceAccount | quote }}
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
{{- range $key := list "priorityClassName" "schedulerName" "runtimeClassName" "dnsPolicy" "dnsConfig" "hostAliases"
      "nodeSelector" "affinity" "tolerations" }}
{{- with get $.ctx.Values $key }}
{{ dict $key . | toYaml }}
{{- end }}
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
List lines: the volumes of a pod: the Python of its component, in folders again, the files of Secrets, the user's. Takes
(dict "ctx" $ "component" "server" "files" (list ...)), the files of `mlflow.reads`, and with "writes" true those that
MLflow writes.
*/}}
{{- define "mlflow.volumes" -}}
- name: files
  configMap:
    name: {{ printf "%s-%s" (include "mlflow.fullname" .ctx) .component | quote }}
    items:
      {{- range $path, $key := include "mlflow.files" . | fromJson }}
      - key: {{ $key | quote }}
        path: {{ $path | quote }}
      {{- end }}
{{- if .writes }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .ctx.Values.tmp.sizeLimit | quote }}
{{- if .ctx.Values.metrics.enabled }}
- name: metrics
  emptyDir:
    sizeLimit: 256Mi
{{- end }}
{{- with (include "mlflow.facts" .ctx | fromJson).claim }}
- name: data
  persistentVolumeClaim:
    claimName: {{ . | quote }}
{{- end }}
{{- end }}
{{- range .files }}
- name: {{ .volume | quote }}
  secret:
    secretName: {{ .secret | quote }}
    items:
      - key: {{ .key | quote }}
        path: {{ .file | quote }}
{{- end }}
{{- with .ctx.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /*
List lines: where a container mounts them. Takes (dict "ctx" $ "files" (list ...)), with "writes" true as above.
*/}}
{{- define "mlflow.volumeMounts" -}}
{{- if .writes -}}
- name: tmp
  mountPath: /tmp
{{- if .ctx.Values.metrics.enabled }}
- name: metrics
  mountPath: /metrics
{{- end }}
{{- if (include "mlflow.facts" .ctx | fromJson).claim }}
- name: data
  mountPath: /mlflow
{{- end }}
{{ end -}}
- name: files
  mountPath: /opt/mlflow-kubernetes
  readOnly: true
{{- range .files }}
- name: {{ .volume | quote }}
  mountPath: {{ .folder | quote }}
  readOnly: true
{{- end }}
{{- with .ctx.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
