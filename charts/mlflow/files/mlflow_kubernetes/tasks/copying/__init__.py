"""The copy of another MLflow's database and artifacts into an empty release."""
