exec kubernetes kube-proxy --config=/run/etc/kube-proxy.yaml --hostname-override="$NODE_NAME"
