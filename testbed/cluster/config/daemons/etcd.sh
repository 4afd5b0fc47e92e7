# Without fsync a power cut of the machine may lose data; a test cluster is created again instead.
exec kubernetes etcd \
  --name=etcd \
  --data-dir=/var/lib/etcd \
  --unsafe-no-fsync \
  --listen-client-urls=https://127.0.0.1:2379 \
  --advertise-client-urls=https://127.0.0.1:2379 \
  --listen-peer-urls=https://127.0.0.1:2380 \
  --initial-advertise-peer-urls=https://127.0.0.1:2380 \
  --initial-cluster=etcd=https://127.0.0.1:2380 \
  --client-cert-auth --trusted-ca-file=/run/etc/pki/etcd-ca.crt \
  --cert-file=/run/etc/pki/etcd.crt --key-file=/run/etc/pki/etcd.key \
  --peer-client-cert-auth --peer-trusted-ca-file=/run/etc/pki/etcd-ca.crt \
  --peer-cert-file=/run/etc/pki/etcd.crt --peer-key-file=/run/etc/pki/etcd.key \
  --log-level=warn
