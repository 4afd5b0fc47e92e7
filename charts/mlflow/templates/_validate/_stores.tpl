{{- /* Lines: where the database is and how to get in. Takes `.`. */}}
{{- define "mlflow.validate.postgres" -}}
{{- with .Values.backendStore.postgres -}}
{{- if .enabled -}}
{{- $path := "backendStore.postgres" -}}
{{- include "mlflow.validate.postgresHost" . -}}
{{- include "mlflow.validate.postgresLogin" $ -}}
{{- include "mlflow.validate.readReplica" $ -}}
{{- $read := ternary (omit . "passwordFromSecret") . .uriFromSecret.enabled -}}
{{- range $key, $from := $read }}{{ if and (hasSuffix "FromSecret" $key) (dig "enabled" false (default dict $from)) -}}
{{- include "mlflow.validate.secretName" (dict "path" (printf "%s.%s.name" $path $key) "name" $from.name) -}}
{{- end }}{{ end -}}
{{- $hidden := or .hostFromSecret.enabled .uriFromSecret.enabled -}}
{{- if and $hidden $.Values.networkPolicy.enabled (not $.Values.networkPolicy.peers.database) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.database"
  "wrong" "is empty, and the host of the database is in a Secret"
  "instead" (printf "list the database's peers; the policy allows port %d" (int .port))) -}}
{{- end -}}
{{- $ca := or .sslRootCertFromSecret.enabled (hasKey $.Values.mlflow.env "PGSSLROOTCERT") -}}
{{- if and (hasPrefix "verify-" .sslMode) (not $ca) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.sslMode" $path)
  "wrong" (printf "%s needs the CA of the database server" .sslMode)
  "instead" (printf "set %s.sslRootCertFromSecret, or mlflow.env.PGSSLROOTCERT to a mounted file" $path)) -}}
{{- end -}}
{{- else if .readReplica.host -}}
{{- include "mlflow.says" (dict
  "path" "backendStore.postgres.readReplica.host"
  "wrong" "needs PostgreSQL, which is not enabled"
  "instead" "set backendStore.postgres.enabled: true, or remove it") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a second server, by its name only, and named once. Takes `.`. */}}
{{- define "mlflow.validate.readReplica" -}}
{{- $path := "backendStore.postgres.readReplica.host" -}}
{{- $variable := "MLFLOW_READ_REPLICA_BACKEND_STORE_URI" -}}
{{- $postgres := .Values.backendStore.postgres -}}
{{- with $postgres.readReplica }}{{ if .host -}}
{{- if regexMatch "://|[@/,]|^[^:]*:[0-9]*$" .host -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q is not only a host name" .host)
  "instead" "set only the host here, and port beside it") -}}
{{- else if and (eq .host $postgres.host) (eq (int .port) (int $postgres.port)) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is the primary database"
  "instead" "set the host or the port of the replica, or remove it") -}}
{{- end -}}
{{- if hasKey $.Values.mlflow.env $variable -}}
{{- include "mlflow.says" (dict
  "path" (printf "mlflow.env.%s" $variable)
  "wrong" (printf "is a second replica beside %s" $path)
  "instead" "remove one of the two") -}}
{{- end -}}
{{- end }}{{ end -}}
{{- end }}

{{- /* Lines: a host name and nothing else. Takes `.Values.backendStore.postgres`. */}}
{{- define "mlflow.validate.postgresHost" -}}
{{- $path := "backendStore.postgres.host" -}}
{{- $secret := ternary "uriFromSecret" (ternary "hostFromSecret" "" .hostFromSecret.enabled) .uriFromSecret.enabled -}}
{{- with .host -}}
{{- if $secret -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "sets a second host beside that of %s" $secret)
  "instead" (printf "remove it, or set %s.enabled: false" $secret)) -}}
{{- else if regexMatch "://|@|^[^/].*/" . -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q is not only a host name" .)
  "instead" "set only the host here, and port, database and username beside it") -}}
{{- else if regexMatch "^[^:]*:[0-9]*$" . -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" (printf "%q contains a port" .)
  "instead" "set backendStore.postgres.port instead") -}}
{{- end -}}
{{- else }}{{ if not $secret -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "is empty"
  "instead" "set the host name of the PostgreSQL server") -}}
{{- end }}{{ end -}}
{{- end }}

{{- /* Lines: a database by its URI, of which the chart knows nothing but that it is not PostgreSQL. Takes `.`. */}}
{{- define "mlflow.validate.uri" -}}
{{- $path := "backendStore.uriFromSecret" -}}
{{- with .Values.backendStore.uriFromSecret -}}
{{- if .enabled -}}
{{- include "mlflow.validate.secretName" (dict "path" (printf "%s.name" $path) "name" .name) -}}
{{- if $.Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.enabled" $path)
  "wrong" "is a second database beside backendStore.postgres"
  "instead" "disable one of the two") -}}
{{- end -}}
{{- if eq $.Values.auth.mode "basic" -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.enabled" $path)
  "wrong" "cannot store MLflow's accounts, since MySQL refuses their tables"
  "instead" "set auth.mode: none and authenticate at the Ingress, or use backendStore.postgres") -}}
{{- end -}}
{{- if and $.Values.networkPolicy.enabled (not $.Values.networkPolicy.peers.database) -}}
{{- include "mlflow.says" (dict
  "path" "networkPolicy.peers.database"
  "wrong" "is empty, and the host of the database is in a Secret"
  "instead" "list the database's peers; the policy allows port 3306") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /*
Lines: a request may need a second connection while it holds one, so with as many threads as connections
all of them can wait for each other. Takes `.`.
*/}}
{{- define "mlflow.validate.pool" -}}
{{- $path := "backendStore.postgres" -}}
{{- with .Values.backendStore.postgres -}}
{{- if not .poolPrePing -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.poolPrePing" $path)
  "wrong" "cannot be false, since MLflow tests each connection before use"
  "instead" "remove the key") -}}
{{- end -}}
{{- $connections := add .poolSize .maxOverflow -}}
{{- $threads := int (include "mlflow.facts" $ | fromJson).threads -}}
{{- if and .enabled (le (int $connections) $threads) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.poolSize" $path)
  "wrong" (printf "%d connections with maxOverflow are too few for %d requests at a time, which may need two each"
        $connections $threads)
  "instead" (printf "set poolSize and maxOverflow to more than %d together" $threads)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a claim that nothing would be written to. Takes `.`. */}}
{{- define "mlflow.validate.persistence" -}}
{{- if and .Values.persistence.existingClaim (not (include "mlflow.facts" . | fromJson).claim) -}}
{{- include "mlflow.says" (dict
  "path" "persistence.existingClaim"
  "wrong" "has no effect, since runs are in a database and artifacts in an object store"
  "instead" "remove it") -}}
{{- end -}}
{{- end }}
