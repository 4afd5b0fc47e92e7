"""The error class of the package."""

from mlflowops.address import without_password


class OpsError(Exception):
    """An error that the user can correct.

    Printed as one sentence, `mlflowops: <what>: <what is wrong>; <what to do instead>.`, without a
    traceback. `exit_code` is 2 for wrong input or a missing prerequisite, 1 for a check that failed.
    """

    def __init__(self, what: str, wrong: str, instead: str, exit_code: int = 2) -> None:
        self.sentence = without_password(f"{what}: {wrong}; {instead}.")
        super().__init__(f"mlflowops: {self.sentence}")
        self.exit_code = exit_code
