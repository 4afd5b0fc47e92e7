"""Orders to the program `copy` of the chart, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from mlflowops.errors import OpsError

PART = 8 << 20
ATTEMPTS = 3
AGAIN = "run the same command again: it continues"


class Orders:
    """The program `copy` in a pod.

    Args:
        session: Leads to the pod.
        url: Address of the program for the session.
    """

    def __init__(self, session: requests.Session, url: str) -> None:
        self._session = session
        self._url = url

    def stream(self, name: str, body: bytes = b"", **options: str) -> Iterator[dict[str, Any]]:
        """Yield the lines of an answer; the last one has the key `done`.

        Raises:
            OpsError: The program refuses the order, or has gone.
        """
        try:
            answer = self._session.post(
                f"{self._url}/{name}", data=body, params=options, stream=True, timeout=(10, None)
            )
            line: dict[str, Any] = {}
            for text in answer.iter_lines():
                line = json.loads(text)
                if "error" in line:
                    raise _refusal(line["error"])
                yield line
        except (requests.RequestException, OSError) as error:
            raise OpsError("copy", "the connection to its pod broke", AGAIN, exit_code=1) from error
        if "done" not in line:
            raise OpsError("copy", "its pod ended", AGAIN, exit_code=1)

    def result(self, name: str, body: bytes = b"", **options: str) -> dict[str, Any]:
        """Return how an order ended. One that fails on the way is given again: each can be repeated."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                *_, last = self.stream(name, body, **options)
                break
            except OpsError as error:
                if error.exit_code != 1 or attempt == ATTEMPTS:
                    raise
        return dict(last["done"])

    def send(self, file: Path, name: str) -> None:
        """Send a file in parts: a connection may hold in memory what it has not sent yet."""
        with file.open("rb") as content:
            self.result("append", content.read(PART), file=name, offset="0")
            while part := content.read(PART):
                self.result("append", part, file=name, offset=str(content.tell() - len(part)))


def _refusal(sentence: str) -> OpsError:
    wrong, _, instead = sentence.rpartition("; ")
    return OpsError("copy", wrong or sentence, instead if wrong else "the log of the Job says more")
