"""What each route answers to an account without permissions, about what another account keeps.

`python -m runtime.route_table` writes docs/routes.md from docs/routes.json, which the tests of two accounts
write with TESTS_ROUTES_RECORD=1.
"""

import json
import os
from collections.abc import Callable

import requests
from mlflowops.paths import REPO

from runtime.belongings import Keeper
from runtime.routes import Route
from runtime.strangers import Call, Strangers

RESULTS = REPO / "docs/routes.json"
PAGE = REPO / "docs/routes.md"
ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")  # what removes something comes last
TRIES = 5
DENIED = (401, 403)
SEED = 1  # not that of a night: the page has the same calls in each run
MODES = ("basic", "oidc", "kubernetes")
HEAD = """\
# Routes and accounts

What each route of MLflow answers to an account without permissions about what another account keeps, and to
the owner. This page is made by `python -m runtime.route_table` from [routes.json](routes.json), which three
tests write with a real server of each mode: `tests/runtime/test_two_accounts.py` (`basic`),
`tests/runtime/oidc/test_two_people.py` (`oidc`) and `tests/e2e/test_kubernetes_auth.py` (`kubernetes`, where
the other account edits another namespace, and names the owner's as its workspace). All fail if an answer to
the other account holds a text or an id of the owner, except for
[roles, and MCP servers under `oidc`](security.md#what-a-login-does-not-close).

Each cell is the status for the other account, then that for the owner, of one and the same call. **200** for
the other account means that the route filters: searches answer with what the account may see, here nothing
of the owner's. 404 is the answer for things that are hidden or not there; where the owner has 4xx too, no
call of five was complete enough.

"""

Table = dict[str, list[int]]
Ask = Callable[[Keeper, Call], requests.Response]


def answers(ask: Ask, anna: Keeper, bert: Keeper, routes: list[Route]) -> Table:
    """Ask each route as anna, then as bert, with the first call of a few that bert's permissions allow."""
    strangers, found = Strangers(SEED), {}
    known = [each for each in routes if each.method in ORDER]
    for route in sorted(known, key=lambda each: (ORDER.index(each.method), each.path)):
        for _ in range(TRIES):
            call = strangers.call(route)
            other, own = ask(anna, call), ask(bert, call)
            name, statuses = f"{route.method} {route.template}", [other.status_code, own.status_code]
            about_anna = other.status_code not in DENIED and own.status_code in DENIED
            if name not in found or not about_anna:
                found[name] = statuses
            if own.ok:
                break
    return found


def record(mode: str, table: Table) -> None:
    """Keep the table of a mode, if TESTS_ROUTES_RECORD says so."""
    if os.environ.get("TESTS_ROUTES_RECORD"):
        RESULTS.write_text(json.dumps({**read(), mode: table}, indent=1, sort_keys=True) + "\n")


def read() -> dict[str, Table]:
    """The tables that were kept, by mode."""
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def opened(before: Table, now: Table) -> list[str]:
    """The routes that denied the other account before, and answer it now."""
    denied = [route for route, (other, _) in before.items() if other in DENIED]
    return [route for route in denied if route in now and now[route][0] < 300]


def page(tables: dict[str, Table]) -> str:
    """The text of docs/routes.md."""
    rows = [f"| route | {' | '.join(f'`{mode}`' for mode in MODES)} |", "|---" * (len(MODES) + 1) + "|"]
    for route in sorted(set().union(*tables.values()), key=lambda each: each.split()[::-1]):
        cells = [_cell(tables.get(mode, {}).get(route)) for mode in MODES]
        rows.append(f"| `{route.replace('|', ' ')}` | {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n"


def _cell(statuses: list[int] | None) -> str:
    return "{}, {}".format(*statuses) if statuses else ""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(read()))


if __name__ == "__main__":
    main()
