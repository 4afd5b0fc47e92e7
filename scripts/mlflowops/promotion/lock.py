"""A lock that allows one promotion of a model at a time, from any machine.

MLflow has no compare-and-set. But the database behind it lets a registered model's name exist once, so
creating the registered model `<model>.promoting` succeeds for one job only: that job holds the lock, and
gives it back by deleting it.

A job that dies leaves its lock behind. Who sees the same holder for LEASE seconds, by its own clock,
breaks the lock, and marks that holder first (the same trick), so that two waiting jobs never both do.

Limits: it keeps out only who takes the lock, so a hand in the UI can still move the alias (promote reads
it back and says so); and a holder frozen for longer than LEASE between its last look at the clock and
its request would still write.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from mlflow.exceptions import MlflowException

from mlflowops.errors import OpsError

if TYPE_CHECKING:
    from mlflow import MlflowClient

LEASE = 120.0
HOLDER = "mlflowops.lock.holder"


class Lease:
    """The right to change a model for a limited time."""

    def __init__(self, model: str, seconds: float) -> None:
        self._model = model
        self._end = time.monotonic() + seconds / 2

    def check(self) -> None:
        """Raise an OpsError if half of the lease is over: others may soon remove the lock."""
        if time.monotonic() > self._end:
            wrong = "the server was so slow that the lock ran out"
            raise OpsError(f"promote {self._model}", wrong, "nothing was changed; run it again", exit_code=1)

    @property
    def expired(self) -> bool:
        """Return whether it is too late to release the lock: another process may hold it by now."""
        return time.monotonic() > self._end


@contextmanager
def exclusive(client: "MlflowClient", model: str, wait: float, lease: float = LEASE) -> Iterator[Lease]:
    """Hold the lock of one model. Wait for it up to `wait` seconds."""
    name = f"{model}.promoting"
    owner = uuid4().hex
    held = _acquire(client, name, owner, model, wait, lease)
    try:
        yield held
    finally:
        if not held.expired:
            _delete(client, name)


def _acquire(client: "MlflowClient", name: str, owner: str, model: str, wait: float, lease: float) -> Lease:
    deadline = time.monotonic() + wait
    seen, since = "", time.monotonic()
    while True:
        acquired = Lease(model, lease)  # before the request: the lease must not look longer than it is
        if _create(client, name, owner):
            return acquired
        holder = _holder(client, name)
        if holder != seen:
            seen, since = holder, time.monotonic()
        elif holder and time.monotonic() - since > lease:
            _remove_abandoned(client, name, holder)
        if time.monotonic() > deadline:
            wrong = f"another promotion has held the lock for {wait:.0f} s"
            instead = f"wait for it; if none runs, delete the registered model {name}"
            raise OpsError(f"promote {model}", wrong, instead, exit_code=1)
        time.sleep(random.uniform(0.1, 0.4))  # noqa: S311 - spreads the jobs, hides nothing


def _create(client: "MlflowClient", name: str, owner: str) -> bool:
    about = "Held while `mlflowops promote` runs. If no promotion runs, delete it."
    try:
        client.create_registered_model(name, tags={HOLDER: owner}, description=about)
    except MlflowException as error:
        # DOES_NOT_EXIST: the lock was given back while the server wrote its answer.
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"):
            raise
        # A retried request may find the lock that its first try made.
        return _holder(client, name) == owner
    return True


def _holder(client: "MlflowClient", name: str) -> str:
    try:
        return str(client.get_registered_model(name).tags.get(HOLDER, "unknown"))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return ""


def _remove_abandoned(client: "MlflowClient", name: str, holder: str) -> None:
    """Remove the lock of a dead holder. A second lock allows one job at a time to do so."""
    claim = f"{name}.{holder}"
    if not _create(client, claim, uuid4().hex):
        return
    try:
        if _holder(client, name) == holder:
            _delete(client, name)
    finally:
        _delete(client, claim)


def _delete(client: "MlflowClient", name: str) -> None:
    try:
        client.delete_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
