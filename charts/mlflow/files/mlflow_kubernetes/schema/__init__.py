"""The migration of the database, before the server starts."""
