"""Accounts of a server with `auth.mode: basic`, and what was granted to them."""
