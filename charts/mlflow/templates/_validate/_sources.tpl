{{- /* Lines: prefixes of URIs that lead to object stores, and to no backup. Takes `.`. */}}
{{- define "mlflow.validate.allowedSources" -}}
{{- $path := "artifactStore.allowedSources" -}}
{{- if and .Values.artifactStore.allowedSources (eq .Values.artifactStore.mode "direct") -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "clients use their own credentials in mode direct"
  "instead" "remove it, or set artifactStore.mode: proxied") -}}
{{- end -}}
{{- $backups := "" -}}
{{- if and .Values.backup.enabled (include "mlflow.facts" . | fromJson).objectStore -}}
{{- $store := include "mlflow.backup.store" . | fromJson | include "mlflow.objectStore" | fromJson -}}
{{- $backups = include "mlflow.source" $store.uri -}}
{{- end -}}
{{- range .Values.artifactStore.allowedSources -}}
{{- if contains "," . -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q contains a comma" .)
  "instead" "list each prefix as an entry of its own") -}}
{{- else if not (regexMatch "^[A-Za-z][A-Za-z0-9+.-]*:/{1,3}[^/]" .) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q has no scheme and location" .)
  "instead" "write it as s3://other-bucket/models") -}}
{{- else if regexMatch "(?i)^(file|local|data):" . -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q is on the server's disk" .)
  "instead" "name a location in an object store") -}}
{{- else if regexMatch "[\\s\\\\%?#[:cntrl:]]|[^:/]//|/[.]{1,2}(/|$)" . -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q can be read in more than one way" .)
  "instead" "write it as s3://other-bucket/models, without escapes, query and dots") -}}
{{- else if and $backups (or (hasPrefix (include "mlflow.source" .) $backups) (hasPrefix (printf "%s/" $backups)
      (printf "%s/" (include "mlflow.source" .)))) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q contains the backups, which hold the data of every account" .)
  "instead" "set a folder without backups, or another bucket") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
String: a URI with what several spellings have in common: lower case, one scheme for each kind of store. Takes the
URI.
*/}}
{{- define "mlflow.source" -}}
{{- $uri := lower . | trimSuffix "/" | replace ".dfs." ".blob." -}}
{{- regexReplaceAll "^s3[an]?:/+" (regexReplaceAll "^(abfss?|wasbs?):/+" $uri "wasbs://") "s3://" -}}
{{- end }}
