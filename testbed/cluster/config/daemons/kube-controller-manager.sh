# The autoscaler looks sooner than by default (15 s, 30 s and 300 s), because people and tests wait for it.
exec kubernetes kube-controller-manager \
  --kubeconfig=/run/etc/kube-controller-manager.kubeconfig \
  --authentication-kubeconfig=/run/etc/kube-controller-manager.kubeconfig \
  --authorization-kubeconfig=/run/etc/kube-controller-manager.kubeconfig \
  --bind-address=127.0.0.1 \
  --leader-elect=false \
  --use-service-account-credentials \
  --root-ca-file=/run/etc/pki/ca.crt \
  --service-account-private-key-file=/run/etc/pki/service-account.key \
  --cluster-signing-cert-file=/run/etc/pki/ca.crt --cluster-signing-key-file=/run/etc/pki/ca.key \
  --horizontal-pod-autoscaler-sync-period=5s \
  --horizontal-pod-autoscaler-initial-readiness-delay=10s \
  --horizontal-pod-autoscaler-cpu-initialization-period=30s
