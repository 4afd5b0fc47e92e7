"""Restores of such backups."""
