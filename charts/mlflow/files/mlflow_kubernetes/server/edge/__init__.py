"""The HTTP/1.1 side of each connection, before any application sees a request."""
