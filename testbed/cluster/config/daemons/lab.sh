mkdir -p /var/lib/volumes
exec lab --kubeconfig=/run/etc/lab.kubeconfig --node="$NODE_NAME" --volumes=/var/lib/volumes
