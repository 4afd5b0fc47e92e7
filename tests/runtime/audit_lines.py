"""The lines of a server's audit log, and the routes that docs/audit.md lists."""

import json
import re
from typing import Any

from mlflowops.paths import REPO

from runtime.network import wait_until
from runtime.server import Server

PAGE = (REPO / "docs" / "audit.md").read_text()
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
DENIED = (401, 403, 429)
# The routes that only read although their method is POST, from their list on the page.
READING = re.findall(r"`(/[^`]+)`", PAGE.partition("## Which calls")[2].partition("- **Denied**")[0])
Line = dict[str, Any]


def audit_lines(text: str) -> list[Line]:
    """The audit log in the output of a server, without a line that is being written."""
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines() if '"logger":"mlflow.audit"' in line]


def by_id(server: Server, *expected: str) -> dict[str, list[Line]]:
    """The lines of each request id, as soon as each of the expected ids has one."""

    def found() -> dict[str, list[Line]]:
        lines: dict[str, list[Line]] = {}
        for line in audit_lines(server.log.read_text()):
            lines.setdefault(line["request_id"], []).append(line)
        return lines

    wait_until("the lines of the calls", lambda: found().keys() >= set(expected), 60)
    return found()


def writes(method: str, template: str) -> bool:
    """Whether a route changes something, by the page."""
    return method in CHANGING and not any(template.endswith(each) for each in READING)
