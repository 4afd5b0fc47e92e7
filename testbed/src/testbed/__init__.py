"""A Kubernetes cluster for trying and testing MLflow: cluster, images, pinned programs."""
