"""What `make release` does: builds the files of a version, pushes them to an OCI registry, signs them."""
