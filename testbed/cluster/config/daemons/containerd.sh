exec containerd --config /run/etc/containerd.toml
