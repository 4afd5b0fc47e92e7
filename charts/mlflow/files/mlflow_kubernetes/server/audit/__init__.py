"""The audit log: one line of JSON for each call that writes or is denied, under both launchers."""
