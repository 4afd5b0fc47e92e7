"""How full is the volume?"""

import shutil


def answer() -> tuple[int, int, int]:
    """Return the bytes of the volume at /mlflow: all, used and free."""
    total, used, free = shutil.disk_usage("/mlflow")
    return total, used, free
