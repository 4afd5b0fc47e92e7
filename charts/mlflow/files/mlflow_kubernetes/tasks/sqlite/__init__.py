"""Backups of SQLite and of artifacts on the volume of the server, in an object store."""
