"""`mlflowops copy`: copies a database and its artifacts into an empty release, with all ids."""
