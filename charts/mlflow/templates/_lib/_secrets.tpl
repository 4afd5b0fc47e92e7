{{- /* Mapping lines: the Secrets that the pods read by the chart's own doing, name to keys. Takes `.`. */}}
{{- define "mlflow.secrets" -}}
{{- $entries := include "mlflow.env" (dict "ctx" . "role" "server") | fromYamlArray -}}
{{- $volumes := include "mlflow.volumes" . | fromYamlArray -}}
{{- if .Values.backup.enabled -}}
{{- $entries = include "mlflow.env" (dict "ctx" . "role" "backup") | fromYamlArray | concat $entries -}}
{{- $volumes = include "mlflow.backup.volumes" . | fromYamlArray | concat $volumes -}}
{{- end -}}
{{- include "mlflow.secrets.read" (dict "ctx" . "entries" $entries "volumes" $volumes) -}}
{{- end }}

{{- /* Mapping lines: those of them that pods of the server read, a backup before a migration left out. Takes `.`. */}}
{{- define "mlflow.secrets.server" -}}
{{- $entries := include "mlflow.env" (dict "ctx" . "role" "server") | fromYamlArray -}}
{{- include "mlflow.secrets.read" (dict
  "ctx" .
  "entries" $entries
  "volumes" (include "mlflow.volumes" . | fromYamlArray)) -}}
{{- end }}

{{- /*
Mapping lines: name to keys. Read off environment and volumes, so that none can be forgotten here.
Takes (dict "ctx" $ "entries" (list ...) "volumes" (list ...)).
*/}}
{{- define "mlflow.secrets.read" -}}
{{- $read := list -}}
{{- range .entries -}}
{{- if hasKey (.valueFrom | default dict) "secretKeyRef" }}{{ $read = append $read .valueFrom.secretKeyRef }}{{ end -}}
{{- end -}}
{{- $foreign := list -}}
{{- range .ctx.Values.extraVolumes }}{{ $foreign = append $foreign .name }}{{ end -}}
{{- range .volumes -}}
{{- if and (hasKey . "secret") (not (has .name $foreign)) -}}
{{- $name := .secret.secretName -}}
{{- range .secret.items }}{{ $read = append $read (dict "name" $name "key" .key) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $secrets := dict -}}
{{- range $read -}}
{{- $name := toString .name -}}{{- /* An empty one is for validation to complain about. */ -}}
{{- $_ := set $secrets $name (append (get $secrets $name | default list) .key | uniq) -}}
{{- end -}}
{{- with $secrets }}{{ toYaml . }}{{ end -}}
{{- end }}

{{- /* Mapping lines: Secrets that the values themselves mention, for which no key is known. Takes `.`. */}}
{{- define "mlflow.secrets.mentioned" -}}
{{- $names := list -}}
{{- range .Values.mlflow.envFrom }}{{ with .secretRef }}{{ $names = append $names .name }}{{ end }}{{ end -}}
{{- range .Values.extraVolumes }}{{ with .secret }}{{ $names = append $names .secretName }}{{ end -}}
{{- range (.projected | default dict).sources }}{{ with .secret }}{{ $names = append $names
      .name }}{{ end }}{{ end }}{{ end -}}
{{- range .Values.imagePullSecrets }}{{ $names = append $names .name }}{{ end -}}
{{- $mentioned := dict -}}
{{- range $names }}{{ $_ := set $mentioned (toString .) list }}{{ end -}}
{{- with $mentioned }}{{ toYaml . }}{{ end -}}
{{- end }}

{{- /*
Mapping lines: the Secrets to fetch, name to keys: all that the chart reads, but for those that are switched
off, and of the mentioned ones those with an entry that says where to find them. Takes `.`.
*/}}
{{- define "mlflow.externalSecrets" -}}
{{- $secrets := include "mlflow.secrets" . | fromYaml -}}
{{- range $name, $where := .Values.externalSecrets.secrets -}}
{{- if eq (get $where "enabled" | toString) "false" }}{{ $_ := unset $secrets $name -}}
{{- else if not (hasKey $secrets $name) }}{{ $_ := set $secrets $name list }}{{ end -}}
{{- end -}}
{{- with $secrets }}{{ toYaml . }}{{ end -}}
{{- end }}

{{- /*
Mapping lines: the values of one Secret and their places in the vault. Takes (dict "ctx" $ "name" name "keys" (list
...)).
*/}}
{{- define "mlflow.externalSecrets.data" -}}
{{- $settings := .ctx.Values.externalSecrets -}}
{{- $name := .name -}}
{{- $where := get $settings.secrets $name | default dict -}}
{{- $key := default (print $settings.keyPrefix $name) $where.key -}}
{{- $made := dig "template" "data" dict $where -}}
{{- $refs := dict -}}
{{- range .keys }}{{ if not (hasKey $made .) }}{{ $_ := set $refs . (dict "key" $key "property" .) }}{{ end }}{{ end -}}
{{- range $secretKey, $ref := $where.data }}{{ $_ := set $refs $secretKey (merge (dict) $ref
      (dict "key" $key)) }}{{ end -}}
{{- if $refs -}}
data:
  {{- range $secretKey, $ref := $refs }}
  - secretKey: {{ $secretKey | quote }}
    remoteRef:
      {{- toYaml $ref | nindent 6 }}
  {{- end }}
{{- else -}}
dataFrom:
  - extract:
      key: {{ $key | quote }}
{{- end }}
{{- end }}

{{- /* Mapping lines: the store that the ExternalSecrets read. Takes `.`. */}}
{{- define "mlflow.externalSecrets.store" -}}
{{- with .Values.externalSecrets -}}
{{- $own := dict "kind" "SecretStore" "name" (include "mlflow.fullname" $) -}}
{{- ternary $own .secretStoreRef (not (empty .provider)) | toYaml -}}
{{- end -}}
{{- end }}
