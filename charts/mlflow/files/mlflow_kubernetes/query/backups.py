"""Which backups are there?"""

import os

from mlflow_kubernetes.tasks.backup.catalog import Backups
from mlflow_kubernetes.tasks.backup.facts import Facts


def answer(destination: str) -> list[Facts]:
    """Return the facts of each backup below that address, the newest first."""
    return Backups(os.environ, destination).list_all()
