"""Copies all data of another MLflow into the tracking server, and verifies the copy.

Steps, in order: a snapshot of the source (`snapshot`), experiments (`experiments`), runs without content
and logged models without content, so that every new id is known (`ids`), then the content of both
(`runs`, `models`, `artifact_copy`), the registry (`registered_models`), and the comparison (`verify`).

Everything that is made carries the tag `mlflowops.import.source` with its id in the source. That tag is
the only state of an import: a second run finds the copies by it and adds what is missing.
"""
