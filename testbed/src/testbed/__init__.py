"""The Kubernetes to try MLflow on and to test it on: cluster, images, pinned programs."""
