"""Backups of the database in an object store."""
