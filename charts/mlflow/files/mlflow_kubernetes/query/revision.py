"""Does the database have the schema that the image needs?"""

import os
from typing import Any

from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.stores.database import connect


def answer() -> dict[str, Any]:
    """Return the revision of the database, the newest of the image, and if the image knows the first."""
    revisions = Revisions.installed()
    found = connect(os.environ["MLFLOW_BACKEND_STORE_URI"]).revision()
    return {"found": found, "wanted": revisions.head, "known": found in revisions.known}
