"""What the databases hold."""
