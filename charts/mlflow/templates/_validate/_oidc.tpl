{{- /* Lines: a server that can run the plugin of auth.mode oidc, where browsers find it again. Takes `.`. */}}
{{- define "mlflow.validate.oidcServer" -}}
{{- if not .Values.backendStore.postgres.enabled -}}
{{- include "mlflow.says" (dict
  "path" "auth.mode"
  "wrong" "oidc keeps accounts and sessions in PostgreSQL, which all pods share"
  "instead" "set backendStore.postgres, or auth.mode: none") -}}
{{- end -}}
{{- if ne .Values.mlflow.launcher "upstream" -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.launcher"
  "wrong" (printf "%s does not support auth.mode oidc" .Values.mlflow.launcher)
  "instead" "set upstream") -}}
{{- end -}}
{{- if .Values.mlflow.staticPrefix -}}
{{- include "mlflow.says" (dict
  "path" "mlflow.staticPrefix"
  "wrong" "is set, and the plugin of auth.mode oidc serves its pages at the root of a host"
  "instead" "remove it, and use a separate host name for MLflow") -}}
{{- end -}}
{{- if not (or .Values.auth.oidc.redirectUri (include "mlflow.hosts" . | fromJson).public) -}}
{{- include "mlflow.says" (dict
  "path" "auth.oidc.redirectUri"
  "wrong" "is empty, and no Ingress or HTTPRoute has a host name for the redirect URI"
  "instead" "set ingress.hosts, httpRoute.hostnames, or a URL such as https://mlflow.example.com/callback") -}}
{{- end -}}
{{- end }}

{{- /* Lines: the provider of auth.mode oidc, and whom it lets in. Takes `.`. */}}
{{- define "mlflow.validate.oidcProvider" -}}
{{- with .Values.auth.oidc -}}
{{- if not .issuer -}}
{{- include "mlflow.says" (dict
  "path" "auth.oidc.issuer"
  "wrong" "is empty"
  "instead" "set the issuer URL of the provider, such as https://id.example.com/realms/main") -}}
{{- end -}}
{{- if not .clientId -}}
{{- include "mlflow.says" (dict
  "path" "auth.oidc.clientId"
  "wrong" "is empty"
  "instead" "set the id of MLflow's client at the provider") -}}
{{- end -}}
{{- include "mlflow.validate.secretName" (dict
  "path" "auth.oidc.clientSecretFromSecret.name"
  "name" .clientSecretFromSecret.name) -}}
{{- if .caFromSecret.enabled -}}
{{- include "mlflow.validate.secretName" (dict "path" "auth.oidc.caFromSecret.name" "name" .caFromSecret.name) -}}
{{- end -}}
{{- if not (or .allowedGroups .adminGroups) -}}
{{- include "mlflow.says" (dict
  "path" "auth.oidc.allowedGroups"
  "wrong" "and adminGroups are empty, so no account can log in"
  "instead" "list groups of the provider") -}}
{{- end -}}
{{- if and .serviceAccounts.namespaces (eq .serviceAccounts.issuer .issuer) -}}
{{- include "mlflow.says" (dict
  "path" "auth.oidc.serviceAccounts.issuer"
  "wrong" "is the issuer of people, and a token can belong to one of the two only"
  "instead" "set what `kubectl get --raw /.well-known/openid-configuration` shows, or remove namespaces") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Lines: grants to groups that the init container can write as they are. Takes `.`. */}}
{{- define "mlflow.validate.oidcGroups" -}}
{{- $seen := dict -}}
{{- range $number, $grant := .Values.auth.oidc.groups }}{{ $path := printf "auth.oidc.groups[%d]" $number -}}
{{- $thing := default .workspace .pattern }}{{ $key := printf "%s\n%t\n%s" .name (empty .pattern) $thing -}}
{{- if hasKey $seen $key -}}
{{- include "mlflow.says" (dict
  "path" "auth.oidc.groups"
  "wrong" (printf "grants %s twice for %q" .name $thing)
  "instead" "keep one of the two") -}}
{{- end }}{{ $_ := set $seen $key true -}}
{{- if eq (empty .pattern) (empty .workspace) -}}
{{- include "mlflow.says" (dict
  "path" $path
  "wrong" "does not have exactly one of pattern and workspace"
  "instead" "set pattern for names in all workspaces, or workspace") -}}
{{- else if and .workspace (not $.Values.mlflow.workspaces.enabled) -}}
{{- include "mlflow.says" (dict
  "path" (printf "%s.workspace" $path)
  "wrong" "grants a permission on a workspace, and the server has none"
  "instead" "set mlflow.workspaces.enabled: true, or pattern") -}}
{{- end -}}
{{- end -}}
{{- end }}
