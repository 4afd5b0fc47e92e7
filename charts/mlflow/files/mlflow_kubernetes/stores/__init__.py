"""Clients of databases and object stores."""
