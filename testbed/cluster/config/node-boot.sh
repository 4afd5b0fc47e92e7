#!/bin/bash
# Starts a node: joins its control groups (the arguments), so that all of its processes can be found by
# them, then becomes process 1 of namespaces of its own. Killing that process is a power cut: the kernel
# ends every daemon and container and drops their mounts and links.
set -euo pipefail
for group in "$@"; do
  echo $$ >"$group/cgroup.procs"
done
exec unshare --net --mount --uts --pid --fork --kill-child --mount-proc --propagation=slave \
  bash "$NODE_FOLDER/etc/node-init.sh"
