"""External Secrets: does what MLflow reads arrive from the vault, and if not, what is to be done?"""
