{{- /*
JSON: the files that the pods of a component run, by the end of the name of their ConfigMap; for each its key, which has
no slashes: `server.gate.py` for `mlflow_kubernetes/server/gate.py`. With "of" that end the lines of the ConfigMap, with
"of" "all" those of which the pods' checksum is made; without toYaml, which takes longer than the rest of a rendering.
Those files are shell scripts, and what files/programs.yaml lists for each program. A change of one file restarts only
the pods that have it. The server has three ConfigMaps: `kubectl apply` and Argo CD keep a copy of an object in an
annotation, for which there are 256 KiB. Takes (dict "ctx" $ "component" "server").
*/}}
{{- define "mlflow.files" -}}
{{- $facts := include "mlflow.facts" .ctx | fromJson -}}
{{- $migration := ternary (list "schema" "backup") (list "schema") $facts.backupFirst -}}
{{- $metrics := ternary (list "metrics-workers") (list "metrics-workers" "metrics-stores") $facts.exporter -}}
{{- $programs := get (dict
      "server" (concat $migration (list "server" "query" "copy") (ternary $metrics list .ctx.Values.metrics.enabled))
      "jobs" (append $migration "jobs")
      "exporter" (list "metrics-stores")
      "retention" (list "retention")
      "backup" (concat (list "query-backups") (ternary
        (list "backup" "restore")
        (list "volume-backup" "volume-restore") $facts.database))) .component -}}
{{- $paths := dict "init.sh" "init.sh" -}}{{- $parts := dict "all" $paths -}}
{{- if has "backup" $programs }}{{ $_ := set $paths "postgres.sh" "postgres.sh" }}{{ end -}}
{{- $known := .ctx.Files.Get "files/programs.yaml" | fromYaml -}}
{{- range $programs }}{{ range get $known . -}}
{{- $_ := set $paths (printf "mlflow_kubernetes/%s" .) (replace "/" "." .) -}}
{{- end }}{{ end -}}
{{- range $path, $key := $paths -}}
{{- $own := or (ne $.component "server") (hasPrefix "mlflow_kubernetes/server/" $path) -}}
{{- $name := contains "/fast/" $path | ternary "fast" (ternary $.component "library" $own) -}}
{{- $_ := set $parts $name (set (get $parts $name | default dict) $path $key) -}}
{{- end -}}
{{- if not .of -}}
{{- omit $parts "all" | toJson -}}
{{- else -}}
{{- print "data:" -}}
{{- range $path, $key := get $parts .of }}
{{- $text := $.ctx.Files.Get (printf "files/%s" $path) | required (printf "no file %s in the chart" $path) }}
{{- $text = trimSuffix "\n" $text | indent 4 | replace "\n    \n" "\n\n" | replace "\n    \n" "\n\n" }}
{{ printf "  %s: |\n%s" $key $text }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
JSON: what the values say about a pod: the general settings, with `env` and `envFrom` of `mlflow`, and over them those
of the pod's sections: a map adds its keys, a list or a word takes the place of the general one, and empty says nothing.
Of `envFrom` the last counts, so the general ones stay: they may hold the credentials of a store. In mode `direct` the
pod of the test is a client with credentials, else it reaches the server only. Takes (dict "ctx" $ "component" "jobs").
*/}}
{{- define "mlflow.settings" -}}
{{- $values := .ctx.Values -}}
{{- $set := merge (pick $values.mlflow "env" "envFrom") (pick $values "affinity" "containerSecurityContext" "dnsConfig"
      "dnsPolicy" "extraContainers" "extraInitContainers" "extraVolumeMounts" "extraVolumes" "hostAliases"
      "imagePullSecrets" "nodeSelector" "podAnnotations" "podLabels" "podSecurityContext" "priorityClassName"
      "runtimeClassName" "schedulerName" "tolerations" "topologySpreadConstraints") -}}
{{- $sections := get (dict "server" (list dict) "jobs" (list $values.jobs) "exporter" (list $values.metrics.exporter)
      "test" (list $values.tasks $values.test)) .component | default (list $values.tasks) -}}
{{- $lasting := has .component (list "server" "jobs" "exporter") -}}
{{- $client := and (eq .component "test") (ne $values.artifactStore.mode "direct") -}}
{{- $none := concat (ternary list (list "topologySpreadConstraints") (eq .component "server"))
      (ternary list (list "podAnnotations" "podLabels") $lasting)
      (ternary (list "env" "envFrom" "extraVolumeMounts" "extraVolumes") list $client) -}}
{{- range $none }}{{ $_ := set $set . (ternary dict list (kindIs "map" (get $set .))) }}{{ end -}}
{{- range $section := $sections }}{{ range $key, $value := omit $section "enabled" "resources" -}}
{{- $general := get $set $key -}}
{{- if and $value (eq $key "envFrom") -}}
{{- $_ := set $set $key (concat $value (default list $general)) -}}
{{- else if and $value (kindIs "map" $value) -}}
{{- $joined := default dict $general | deepCopy -}}
{{- range $name, $own := $value }}{{ $_ := set $joined $name $own -}}
{{- if kindIs "invalid" $own }}{{ $_ := unset $joined $name }}{{ end }}{{ end }}{{ $_ := set $set $key $joined -}}
{{- else if $value }}{{ $_ := set $set $key $value }}{{ end -}}
{{- end }}{{ end -}}
{{- toJson $set -}}
{{- end }}

{{- /*
JSON: a pod as the values have it: what `mlflow.settings` gives, and made of that `spec`, the fields of its spec that
pass through, `labels`, all of its labels, and `selector`, those that never change. Takes (dict "ctx" $ "component"
"jobs"), with "serviceAccount" name for another than the server's.
*/}}
{{- define "mlflow.pod" -}}
{{- $pod := include "mlflow.settings" . | fromJson -}}
{{- $selector := include "mlflow.labels" (dict "ctx" .ctx "component" .component "of" "selector") | fromJson -}}
{{- /* What entries of these lists have unless they say so. A restricted namespace admits no container without one. */}}
{{- range $key, $unless := dict
      "extraContainers" (dict "securityContext" $pod.containerSecurityContext)
      "extraInitContainers" (dict "securityContext" $pod.containerSecurityContext)
      "topologySpreadConstraints" (dict "labelSelector" (dict "matchLabels" $selector)) -}}
{{- $entries := list -}}
{{- range get $pod $key | default list -}}
{{- $entries = append $entries (hasKey . (keys $unless | first) | ternary . (merge (dict) (deepCopy $unless) .)) -}}
{{- end -}}
{{- $_ := set $pod $key $entries -}}
{{- end -}}
{{- /* Not enableServiceLinks: a Service called mlflow would set MLFLOW_PORT=tcp://..., a setting of MLflow. */}}
{{- $spec := dict "automountServiceAccountToken" false "enableServiceLinks" false
      "serviceAccountName" (default (include "mlflow.facts" .ctx | fromJson).serviceAccount .serviceAccount) -}}
{{- $login := concat (default list .ctx.Values.global.imagePullSecrets) $pod.imagePullSecrets | uniq -}}
{{- range $key, $value := merge (dict "imagePullSecrets" $login "securityContext" $pod.podSecurityContext) (pick $pod
      "affinity" "dnsConfig" "dnsPolicy" "hostAliases" "nodeSelector" "priorityClassName" "runtimeClassName"
      "schedulerName" "tolerations" "topologySpreadConstraints") -}}
{{- with $value }}{{ $_ := set $spec $key . }}{{ end -}}
{{- end -}}
{{- $labels := include "mlflow.labels" (dict "ctx" .ctx "component" .component "of" "pod") | fromJson -}}
{{- merge $pod (dict "labels" (merge $labels $pod.podLabels) "selector" $selector "spec" $spec) | toJson -}}
{{- end }}

{{- /*
List lines: the volumes of a pod: the Python of its component, in folders again, the files of Secrets, the user's. Takes
(dict "ctx" $ "pod" (dict ...) "component" "server" "files" (list ...)), the pod of `mlflow.pod` and the files of
`mlflow.reads`, and with "writes" true those that MLflow writes.
*/}}
{{- define "mlflow.volumes" -}}
- name: files
  projected:
    sources:
      {{- range $name, $paths := include "mlflow.files" . | fromJson }}
      - configMap:
          name: {{ printf "%s-%s" (include "mlflow.fullname" $.ctx) $name | quote }}
          items:
            {{- range $path, $key := $paths }}
            - key: {{ $key | quote }}
              path: {{ $path | quote }}
            {{- end }}
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
{{- if (include "mlflow.facts" .ctx | fromJson).loginFolder }}
- name: login
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- end }}
{{- range .files }}
- name: {{ .volume | quote }}
  {{- if .secret }}
  secret:
    secretName: {{ .secret | quote }}
    items:
      - key: {{ .key | quote }}
        path: {{ .file | quote }}
  {{- else }}{{/* for the API server, as Kubernetes would mount it */}}
  projected:
    sources:
      - serviceAccountToken: { path: token, expirationSeconds: 3600 }
      - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
  {{- end }}
{{- end }}
{{- with .pod.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /*
List lines: where a container mounts them. Takes (dict "ctx" $ "pod" (dict ...) "files" (list ...)), with "writes" true
as above.
*/}}
{{- define "mlflow.mounts" -}}
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
{{- if (include "mlflow.facts" .ctx | fromJson).loginFolder }}
- name: login
  mountPath: /run/mlflow
{{- end }}
{{- range .files }}
- name: {{ .volume | quote }}
  mountPath: {{ .folder | quote }}
  readOnly: true
{{- end }}
{{- with .pod.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
