"""The quality gate in front of a champion: policy, checks, lock, and the change in the registry."""
