"""A release under steady load for a long time, with rollouts, retention and backups meanwhile."""
