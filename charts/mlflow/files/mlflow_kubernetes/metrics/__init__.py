"""The exporter: what Prometheus reads beside the server and about the stores."""
