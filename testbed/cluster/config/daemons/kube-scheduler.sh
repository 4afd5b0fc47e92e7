exec kubernetes kube-scheduler \
  --kubeconfig=/run/etc/kube-scheduler.kubeconfig \
  --authentication-kubeconfig=/run/etc/kube-scheduler.kubeconfig \
  --authorization-kubeconfig=/run/etc/kube-scheduler.kubeconfig \
  --bind-address=127.0.0.1 \
  --leader-elect=false
