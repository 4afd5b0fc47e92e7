"""Copies everything of an MLflow elsewhere into the tracking server, and proves that it arrived.

In order: a snapshot of the source (`snapshot`), experiments (`experiments`), runs without content and
logged models without content, so that every new id is known (`ids`), then the content of both
(`runs`, `models`, `artifact_copy`), the registry (`registered_models`), and the comparison (`verify`).

Everything that is made carries the tag `mlflowops.import.source` with its id in the source. That tag is
the whole memory of an import: a second run finds by it what is there and adds what is missing.
"""
