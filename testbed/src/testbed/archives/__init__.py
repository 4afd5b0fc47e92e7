"""Image archives written without any container tool."""
