{{- /* Lines: a Service's name begins with a letter. Takes `.`. */}}
{{- define "mlflow.validate.names" -}}
{{- $name := include "mlflow.fullname" . -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- include "mlflow.says" (dict
  "path" "fullnameOverride"
  "wrong" (printf "%q is not a valid name of a Service" $name)
  "instead" "set a name that begins with a letter") -}}
{{- end -}}
{{- end }}

{{- /* Lines: labels and annotations that would stand twice in an object. Takes `.`. */}}
{{- define "mlflow.validate.labels" -}}
{{- $own := "^(app|app\\.kubernetes\\.io/(name|instance|component|version|part-of|managed-by)|helm\\.sh/chart)$" -}}
{{- $common := .Values.commonLabels -}}
{{- $all := dict "commonLabels" $common "podLabels" .Values.podLabels -}}
{{- range $path, $section := include "mlflow.sections" (dict "ctx" .) | fromJson -}}
{{- $_ := set $all (printf "%s.podLabels" $path) $section.podLabels -}}
{{- end -}}
{{- range $key := list "dashboard" "prometheusRule" "serviceAccount" "serviceMonitor" -}}
{{- $_ := set $all (printf "%s.labels" $key) (get $.Values $key).labels -}}
{{- end -}}
{{- $_ := set $all "backup.serviceAccount.labels" .Values.backup.serviceAccount.labels -}}
{{- range $path, $labels := $all -}}
{{- range $label, $value := $labels -}}
{{- if regexMatch $own $label -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.%s" $path $label)
  "wrong" "is set by the chart"
  "instead" "choose another label") -}}
{{- else if and (ne $path "commonLabels") (hasKey $common $label) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.%s" $path $label)
  "wrong" "is also set in commonLabels"
  "instead" "keep one of them") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $path, $annotations := dict
      "podAnnotations" .Values.podAnnotations
      "jobs.podAnnotations" .Values.jobs.podAnnotations
      "metrics.exporter.podAnnotations" .Values.metrics.exporter.podAnnotations -}}
{{- if hasKey $annotations "checksum/files" -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.checksum/files" $path)
  "wrong" "is set by the chart"
  "instead" "choose another annotation") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: who the pods run as, and whom they ask for names. Takes `.`. */}}
{{- define "mlflow.validate.pods" -}}
{{- include "mlflow.validate.podSpec" (dict "ctx" . "at" "" "component" "server") -}}
{{- $of := dict "jobs" "jobs" "metrics.exporter" "exporter" "tasks" "retention" "test" "test" -}}
{{- range $path, $section := include "mlflow.sections" (dict "ctx" .) | fromJson -}}
{{- if or $section.podSecurityContext $section.containerSecurityContext $section.dnsPolicy $section.dnsConfig -}}
{{- include "mlflow.validate.podSpec" (dict "ctx" $ "at" (printf "%s." $path) "component" (get $of $path)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.serviceAccount -}}
{{- if and (not .create) (or .annotations .labels) -}}
{{- include "mlflow.says" (dict
  "path" "serviceAccount.create"
  "wrong" "is false, so annotations and labels have no effect"
  "instead" "set them on your ServiceAccount and remove them here") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: the same of one place. Takes (dict "ctx" $ "at" "jobs." "component" "jobs"). */}}
{{- define "mlflow.validate.podSpec" -}}
{{- $set := include "mlflow.settings" . | fromJson -}}
{{- with $set.podSecurityContext -}}
{{- if and .runAsNonRoot (hasKey . "runAsUser") (eq (int .runAsUser) 0) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%spodSecurityContext.runAsUser" $.at)
  "wrong" "0 is root, which runAsNonRoot forbids"
  "instead" "set a number above 0") -}}
{{- end -}}
{{- end -}}
{{- range $context := list "podSecurityContext" "containerSecurityContext" -}}
{{- range $profile := list "seccompProfile" "appArmorProfile" -}}
{{- $given := get (get $set $context) $profile -}}
{{- if and (kindIs "map" $given) (not (get $given "type")) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s%s.%s" $.at $context $profile)
  "wrong" "has no type"
  "instead" "set RuntimeDefault, Localhost or Unconfined there, or remove it") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $set.dnsPolicy "None") (not $set.dnsConfig.nameservers) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%sdnsPolicy" $.at)
  "wrong" (printf "None without %sdnsConfig.nameservers means that pods have no DNS" $.at)
  "instead" "list them there, or remove it") -}}
{{- end -}}
{{- end }}
