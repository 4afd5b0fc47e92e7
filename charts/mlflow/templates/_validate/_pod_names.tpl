{{- /* Lines: names of the user's volumes and containers that clash with others. Takes `.`. */}}
{{- define "mlflow.validate.podNames" -}}
{{- $given := list -}}
{{- range list .Values .Values.jobs .Values.metrics.exporter .Values.tasks .Values.test -}}
{{- $own := pick . "extraContainers" "extraInitContainers" "extraVolumeMounts" "extraVolumes" -}}
{{- $given = concat $given (values $own) -}}
{{- end -}}
{{- if compact $given -}}
{{- /* Once, and only where the values add some: it renders every pod. */ -}}
{{- $pods := include "mlflow.validate.ownNames" . | fromYaml -}}
{{- include "mlflow.validate.volumes" (dict "ctx" . "pods" $pods) -}}
{{- include "mlflow.validate.containers" (dict "ctx" . "pods" $pods) -}}
{{- end -}}
{{- end }}

{{- /*
Lines: volumes that clash with the chart's own, or are not there, of all pods and of each section that lists some. Takes
(dict "ctx" $ "pods" (dict ...)), the latter as `mlflow.validate.ownNames` gives it.
*/}}
{{- define "mlflow.validate.volumes" -}}
{{- /* Always reserved: extraVolumeMounts must not mount the credentials of the backups into the server. */ -}}
{{- $taken := list "backup-credentials" -}}
{{- range .pods }}{{ $taken = concat $taken .volumes }}{{ end -}}
{{- $of := dict "" "server" "jobs." "jobs" "metrics.exporter." "exporter" "tasks." "retention" "test." "test" -}}
{{- range $at, $component := $of -}}
{{- $section := get (include "mlflow.sections" (dict "ctx" $.ctx) | fromJson) (trimSuffix "." $at) | default dict -}}
{{- if or (not $at) $section.extraVolumes $section.extraVolumeMounts -}}
{{- $set := include "mlflow.settings" (dict "ctx" $.ctx "component" $component) | fromJson -}}
{{- include "mlflow.validate.mounts" (dict "at" $at "set" $set "taken" $taken) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: those of one place. Takes (dict "at" "jobs." "set" (dict ...) "taken" (list ...)). */}}
{{- define "mlflow.validate.mounts" -}}
{{- $at := .at }}{{ $taken := .taken -}}
{{- $there := without $taken "backup-credentials" -}}
{{- range .set.extraVolumes -}}
{{- if has .name $taken -}}
{{- include "mlflow.says" (dict
  "path" (printf "%sextraVolumes" $at)
  "wrong" (printf "%q is used already" .name)
  "instead" "choose another name") -}}
{{- end -}}
{{- $taken = append $taken .name -}}
{{- $there = append $there .name -}}
{{- end -}}
{{- range .set.extraVolumeMounts -}}
{{- if not (has .name $there) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%sextraVolumeMounts" $at)
  "wrong" (printf "there is no volume %q" .name)
  "instead" (printf "add it to %sextraVolumes" $at)) -}}
{{- end -}}
{{- if has .mountPath (list "/tmp" "/metrics" "/mlflow" "/opt/mlflow-kubernetes" "/etc/mlflow/postgres"
      "/etc/mlflow/gcs" "/etc/mlflow/backup" "/exchange") -}}
{{- include "mlflow.says" (dict
  "path" (printf "%sextraVolumeMounts" $at)
  "wrong" (printf "%s is already mounted" .mountPath)
  "instead" "choose another mountPath") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Lines: two containers of one name. The first list reaches every pod, the second the server's.
Takes (dict "ctx" $ "pods" (dict ...)).
*/}}
{{- define "mlflow.validate.containers" -}}
{{- $pods := .pods -}}
{{- $everywhere := list -}}
{{- range $pods }}{{ $everywhere = concat $everywhere .containers }}{{ end -}}
{{- $own := dict "extraInitContainers" $everywhere "extraContainers" (dig "server" "containers" list $pods) -}}
{{- $names := list -}}
{{- range $path := list "extraInitContainers" "extraContainers" -}}
{{- range get $.ctx.Values $path -}}
{{- if has .name (concat $names (get $own $path)) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q is used already" .name)
  "instead" "choose another name") -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Mapping lines: names of the chart's own containers and volumes, by pod. They are read from the rendered templates of
each pod that the values can add some to, without those of the values. Takes `.`.
*/}}
{{- define "mlflow.validate.ownNames" -}}
{{- $values := omit .Values "extraContainers" "extraInitContainers" "extraVolumeMounts" "extraVolumes" -}}
{{- range list "extraContainers" "extraInitContainers" "extraVolumeMounts" "extraVolumes" -}}
{{- $_ := set $values . list -}}
{{- end -}}
{{- range list "jobs" "tasks" -}}
{{- $_ := set $values . (omit (get $values .) "extraVolumeMounts" "extraVolumes") -}}
{{- end -}}
{{- $exporter := omit $values.metrics.exporter "extraVolumeMounts" "extraVolumes" -}}
{{- $_ := set $values "metrics" (set (omit $values.metrics "exporter") "exporter" $exporter) -}}
{{- $ctx := set (omit . "Values") "Values" $values -}}
{{- $files := dict "server" "server/deployment" "jobs" "jobs/deployment" "exporter" "metrics/exporter-deployment" -}}
{{- $files = merge $files (dict "retention" "retention/cronjob" "backup" "backup/cronjob") -}}
{{- $files = merge $files (dict "drill" "backup/drill-cronjob" "restore" "backup/restore-cronjob") -}}
{{- range $pod, $file := $files -}}
{{- with (include (printf "%s/%s.yaml" $.Template.BasePath $file) $ctx | fromYaml).spec -}}
{{- $spec := (dig "jobTemplate" "spec" . .).template.spec -}}
{{- $containers := list -}}
{{- range concat (default list $spec.initContainers) $spec.containers -}}
{{- $containers = append $containers .name -}}
{{- end -}}
{{- $volumes := list -}}
{{- range $spec.volumes }}{{ $volumes = append $volumes .name }}{{ end }}
{{ dict $pod (dict "containers" $containers "volumes" $volumes) | toYaml }}
{{- end -}}
{{- end -}}
{{- end }}
