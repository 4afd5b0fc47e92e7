#!/bin/bash
# Process 1 of a node: makes the machine look like one that only Kubernetes uses, then keeps the daemons
# running as a service manager would. Settings come by environment, see testbed/src/testbed/cluster/node.py.
set -euo pipefail
hostname "$NODE_NAME"

# What a node writes is its own; the rest of the file system is the machine's.
mount -t tmpfs -o mode=755 node /run
mkdir /run/bin /run/etc
for tool in $NODE_TOOLS; do
  touch "/run/bin/${tool%%=*}"
  mount --bind "${tool#*=}" "/run/bin/${tool%%=*}"
done
mount --bind "$NODE_FOLDER/etc" /run/etc
mount --bind "$NODE_FOLDER/log" /var/log
mount --bind "$NODE_FOLDER/lib" /var/lib

# The kubelet writes these settings of the whole machine: let it write into files.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops; do
  mkdir -p "/run/sys/${setting%/*}"
  cat "/proc/sys/$setting" >"/run/sys/$setting"
  mount --bind "/run/sys/$setting" "/proc/sys/$setting"
done

# The machine's side plugs in the cable. Nothing leaves the cluster's own network.
ip link set lo up
until grep -q eth0: /proc/net/dev; do sleep 0.05; done
ip address add "$NODE_ADDRESS/24" dev eth0
ip link set eth0 up
ip route add unreachable default
# A node's own traffic to a Service is routed before kube-proxy gives it a pod's address.
ip route add "$SERVICE_RANGE" dev eth0
while read -r range address; do
  [ "$address" = "$NODE_ADDRESS" ] || ip route add "$range" via "$address"
done </run/etc/pod-routes
echo 1 >/proc/sys/net/ipv4/ip_forward
# Traffic between pods of one node obeys Services and policies too.
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

keep_running() {
  while true; do
    bash "/run/etc/daemons/$1.sh" >>"/var/log/$1.log" 2>&1 </dev/null || true
    echo "--- $1 ended, starting it again" >>"/var/log/$1.log"
    sleep 1
  done
}
export PATH="/run/bin:$PATH"
for daemon in $NODE_DAEMONS; do
  keep_running "$daemon" &
done
wait
