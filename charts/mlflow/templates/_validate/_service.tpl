{{- /* Lines: fields of the Service that its type does not have, or that contradict each other. Takes `.`. */}}
{{- define "mlflow.validate.service" -}}
{{- $service := .Values.service -}}
{{- $outside := list "NodePort" "LoadBalancer" -}}
{{- $balancer := list "LoadBalancer" -}}
{{- range $key, $types := dict "nodePort" $outside "externalTrafficPolicy" $outside "loadBalancerClass" $balancer
      "loadBalancerSourceRanges" $balancer -}}
{{- if and (get $service $key) (not (has $service.type $types)) -}}
{{- include "mlflow.says" (dict
  "path" (printf "service.%s" $key)
  "wrong" (printf "is for type %s, and service.type is %s" (join " or " $types) $service.type)
  "instead" (printf "remove it, or set service.type: %s" (first $types))) -}}
{{- end -}}
{{- end -}}
{{- range (include "mlflow.hosts.names" . | fromJson).service -}}
{{- $path := ternary "service.hostnames" "service.annotations" (has . $service.hostnames) -}}
{{- include "mlflow.validate.host" (dict "path" $path "host" . "seen" list) -}}
{{- end -}}
{{- if eq $service.clusterIP "None" -}}
{{- include "mlflow.says" (dict
  "path" "service.clusterIP"
  "wrong" "None makes port 80 unusable, since the pods listen on port 5000"
  "instead" "set an address, or remove it") -}}
{{- end -}}
{{- if and (gt (len $service.ipFamilies) 1) (eq $service.ipFamilyPolicy "SingleStack") -}}
{{- include "mlflow.says" (dict
  "path" "service.ipFamilies"
  "wrong" "lists two families, and service.ipFamilyPolicy is SingleStack"
  "instead" "keep one, or set service.ipFamilyPolicy: RequireDualStack") -}}
{{- end -}}
{{- end }}
