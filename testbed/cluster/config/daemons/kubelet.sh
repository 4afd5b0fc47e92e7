until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done
exec kubernetes kubelet \
  --config=/run/etc/kubelet.yaml \
  --kubeconfig=/run/etc/kubelet.kubeconfig \
  --hostname-override="$NODE_NAME" \
  --node-ip="$NODE_ADDRESS"
