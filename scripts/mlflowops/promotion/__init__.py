"""Promotes a model version that passes a policy."""
