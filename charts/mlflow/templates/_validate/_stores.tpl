{{- /* Lines: where the database is and how to get in. Takes `.`. */}}
{{- define "mlflow.validate.postgres" -}}
{{- with .Values.backendStore.postgres -}}
{{- if .enabled -}}
{{- $path := "backendStore.postgres" -}}
{{- include "mlflow.validate.postgresHost" .host -}}
{{- if .passwordFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (list (printf "%s.passwordFromSecret.name" $path) .passwordFromSecret.name) -}}
{{- end -}}
{{- if .sslRootCertFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (list (printf "%s.sslRootCertFromSecret.name" $path) .sslRootCertFromSecret.name) -}}
{{- else if and (hasPrefix "verify-" .sslMode) (not (hasKey $.Values.mlflow.env "PGSSLROOTCERT")) -}}
{{- include "mlflow.says" (list (printf "%s.sslMode" $path) (printf "%s needs the CA of the database server" .sslMode) (printf "set %s.sslRootCertFromSecret, or mlflow.env.PGSSLROOTCERT to a mounted file" $path)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a host name and nothing else. Takes the name. */}}
{{- define "mlflow.validate.postgresHost" -}}
{{- $path := "backendStore.postgres.host" -}}
{{- if not . -}}
{{- include "mlflow.says" (list $path "is empty" "set the host name of the PostgreSQL server") -}}
{{- else if regexMatch "://|@|^[^/].*/" . -}}
{{- include "mlflow.says" (list $path (printf "%q is more than a host name" .) "set only the host here, and port, database and username beside it") -}}
{{- else if regexMatch "^[^:]*:[0-9]*$" . -}}
{{- include "mlflow.says" (list $path (printf "%q holds a port" .) "set backendStore.postgres.port instead") -}}
{{- end -}}
{{- end }}

{{- /* Lines: a database by its URI, of which the chart knows nothing but that it is not PostgreSQL. Takes `.`. */}}
{{- define "mlflow.validate.uri" -}}
{{- $path := "backendStore.uriFromSecret" -}}
{{- with .Values.backendStore.uriFromSecret -}}
{{- if .enabled -}}
{{- include "mlflow.validate.secretName" (list (printf "%s.name" $path) .name) -}}
{{- if $.Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (list (printf "%s.enabled" $path) "names a second database beside backendStore.postgres" "set one of the two enabled: false") -}}
{{- end -}}
{{- if include "mlflow.auth.enabled" $ -}}
{{- include "mlflow.says" (list (printf "%s.enabled" $path) "is no place for MLflow's accounts, whose tables MySQL refuses" "set auth.mode: none and let the Ingress ask for a login, or use backendStore.postgres") -}}
{{- end -}}
{{- if and $.Values.networkPolicy.enabled (not $.Values.networkPolicy.peers.database) -}}
{{- include "mlflow.says" (list "networkPolicy.peers.database" "is empty, and the database's host is in a Secret" "set where it is; the policy lets pods reach its port 3306") -}}
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
{{- include "mlflow.says" (list (printf "%s.poolPrePing" $path) "false is not possible, MLflow always pings a connection before it uses it" "remove the key") -}}
{{- end -}}
{{- $connections := add .poolSize .maxOverflow -}}
{{- $threads := int (include "mlflow.requestThreads" $) -}}
{{- if and .enabled (le (int $connections) $threads) -}}
{{- include "mlflow.says" (list (printf "%s.poolSize" $path) (printf "%d connections with maxOverflow are too few for %d requests at a time, which may need two each" $connections $threads) (printf "set poolSize and maxOverflow to more than %d together" $threads)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: a claim that nothing would be written to. Takes `.`. */}}
{{- define "mlflow.validate.persistence" -}}
{{- if and .Values.persistence.existingClaim (not (include "mlflow.volume.enabled" .)) -}}
{{- include "mlflow.says" (list "persistence.existingClaim" "has no use, runs are in a database and artifacts in an object store" "remove it") -}}
{{- end -}}
{{- end }}
