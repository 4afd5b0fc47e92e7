#!/bin/sh
# Runs curl with its own loader and libraries.
exec /opt/curl/ld-linux-*.so.* --library-path /opt/curl /opt/curl/curl "$@"
