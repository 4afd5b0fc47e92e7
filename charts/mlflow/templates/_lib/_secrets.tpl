{{- /*
JSON: the Secrets that the pods read by the chart's own doing, name to keys. Takes (dict "ctx" $), with "server" true
for those of the server alone, a backup before a migration left out.
*/}}
{{- define "mlflow.secrets" -}}
{{- $artifacts := dict "ctx" .ctx "store" .ctx.Values.artifactStore "login" true "keys" true -}}
{{- $all := list (include "mlflow.reads" $artifacts | fromJson) -}}
{{- if and .ctx.Values.backup.enabled (not .server) -}}
{{- $backups := dict "ctx" .ctx "store" (include "mlflow.backup.store" .ctx | fromJson) -}}
{{- $all = append $all (include "mlflow.reads" $backups | fromJson) -}}
{{- end -}}
{{- $given := include "mlflow.secrets.ofEnv" (dict "ctx" .ctx "optional" false) | fromJsonArray -}}
{{- $all = append $all (dict "secrets" $given "files" list) -}}
{{- $secrets := dict -}}
{{- range $all }}{{ range concat .secrets .files }}{{ if hasKey . "secret" -}}
{{- $name := toString .secret -}}{{- /* An empty one is for validation to complain about. */ -}}
{{- $_ := set $secrets $name (append (get $secrets $name | default list) .key | uniq) -}}
{{- end }}{{ end }}{{ end -}}
{{- toJson $secrets -}}
{{- end }}

{{- /*
JSON: the sections of the values with settings of their own for pods, by path. Takes (dict "ctx" $), with "on" true
for those whose pods are there.
*/}}
{{- define "mlflow.sections" -}}
{{- $values := .ctx.Values -}}
{{- $sections := dict "jobs" $values.jobs "metrics.exporter" $values.metrics.exporter "tasks" $values.tasks
      "test" $values.test -}}
{{- if and .on (not $values.jobs.enabled) }}{{ $sections = omit $sections "jobs" }}{{ end -}}
{{- if and .on (not (include "mlflow.facts" .ctx | fromJson).exporter) -}}
{{- $sections = omit $sections "metrics.exporter" -}}
{{- end -}}
{{- toJson $sections -}}
{{- end }}

{{- /*
JSON: the Secrets of `mlflow.env` and its siblings, as a list of (dict "secret" name "key" key): those that a pod waits
for, or the optional ones. Takes (dict "ctx" $ "optional" false).
*/}}
{{- define "mlflow.secrets.ofEnv" -}}
{{- $sections := include "mlflow.sections" (dict "ctx" .ctx "on" true) | fromJson -}}
{{- $found := list -}}
{{- range prepend (values $sections) .ctx.Values.mlflow }}{{ range .env }}{{ if kindIs "map" . -}}
{{- with .valueFrom.secretKeyRef -}}
{{- if eq (default false .optional) $.optional }}{{ $found = append $found (dict "secret" .name "key" .key) }}{{ end -}}
{{- end }}{{ end }}{{ end }}{{ end -}}
{{- toJson $found -}}
{{- end }}

{{- /* JSON: Secrets that the values themselves mention, for which no key is known. Takes `.`. */}}
{{- define "mlflow.secrets.mentioned" -}}
{{- $names := list -}}
{{- range include "mlflow.secrets.ofEnv" (dict "ctx" . "optional" true) | fromJsonArray }}{{ $names = append $names
      .secret }}{{ end -}}
{{- $sections := include "mlflow.sections" (dict "ctx" . "on" true) | fromJson -}}
{{- range concat (list .Values .Values.mlflow) (values $sections) -}}
{{- range .envFrom }}{{ with .secretRef }}{{ $names = append $names .name }}{{ end }}{{ end -}}
{{- range .extraVolumes }}{{ with .secret }}{{ $names = append $names .secretName }}{{ end -}}
{{- range (.projected | default dict).sources }}{{ with .secret }}{{ $names = append $names
      .name }}{{ end }}{{ end }}{{ end -}}
{{- range .imagePullSecrets }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- $mentioned := dict -}}
{{- range $names }}{{ $_ := set $mentioned (toString .) list }}{{ end -}}
{{- toJson $mentioned -}}
{{- end }}

{{- /*
JSON: the Secrets to fetch, name to keys: all that the chart reads, but for those that are switched
off, and of the mentioned ones those with an entry that says where to find them. Takes `.`.
*/}}
{{- define "mlflow.externalSecrets" -}}
{{- $secrets := include "mlflow.secrets" (dict "ctx" .) | fromJson -}}
{{- range $name, $where := .Values.externalSecrets.secrets -}}
{{- if eq (get $where "enabled" | toString) "false" }}{{ $_ := unset $secrets $name -}}
{{- else if not (hasKey $secrets $name) }}{{ $_ := set $secrets $name list }}{{ end -}}
{{- end -}}
{{- toJson $secrets -}}
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
{{- $stored := dict "conversionStrategy" "Default" "decodingStrategy" "None" "metadataPolicy" "None" -}}
{{- $refs := dict -}}
{{- range .keys }}{{ if not (hasKey $made .) }}{{ $_ := set $refs . (dict "key" $key "property" .) }}{{ end }}{{ end -}}
{{- range $secretKey, $ref := $where.data }}{{ $_ := set $refs $secretKey (merge (dict) $ref
      (dict "key" $key)) }}{{ end -}}
{{- if $refs -}}
data:
  {{- range $secretKey, $ref := $refs }}
  - secretKey: {{ $secretKey | quote }}
    remoteRef:
      {{- merge (dict) $ref $stored | toYaml | nindent 6 }}
  {{- end }}
{{- else -}}
dataFrom:
  - extract:
      {{- merge (dict "key" $key) $stored | toYaml | nindent 6 }}
{{- end }}
{{- end }}

{{- /* Mapping lines: the store that the ExternalSecrets read. Takes `.`. */}}
{{- define "mlflow.externalSecrets.store" -}}
{{- with .Values.externalSecrets -}}
{{- $own := dict "kind" "SecretStore" "name" (include "mlflow.fullname" $) -}}
{{- ternary $own .secretStoreRef (not (empty .provider)) | toYaml -}}
{{- end -}}
{{- end }}
