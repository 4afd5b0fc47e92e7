"""An account without permissions learns nothing of another one, whatever it sends.

Random calls of every route, to our server and to plain MLflow. `make nightly` sends more, from another seed.
"""

import itertools
import os
import random
import re
from collections.abc import Callable, Iterator

import pytest
import requests

from runtime import route_table
from runtime.basic_auth import settings as login
from runtime.belongings import MARK, Keeper, filled, keep
from runtime.compare import Pair
from runtime.routes import Route, distinct_routes
from runtime.s3 import S3
from runtime.strangers import Call, Strangers

CALLS = int(os.environ.get("TESTS_ACCOUNTS_CALLS", "0"))  # 0 means each route once
SEED = int(os.environ.get("TESTS_FUZZ_SEED", "1"))
GATEWAY = {
    "MLFLOW_ENABLE_AI_GATEWAY": "true",
    "MLFLOW_CRYPTO_KEK_PASSPHRASE": "a passphrase of the gateway, for tests",
    "MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES": "http",
    "MLFLOW_GATEWAY_ROUTE_TIMEOUT_SECONDS": "1",  # of a provider that no packet reaches
    "MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
}
# MLflow's own: docs/security.md has the reproduction. `test_what_mlflow_shows` fails when it is gone.
SHOWN = {"/api/3.0/mlflow/roles/get", "/api/3.0/mlflow/roles/list"}
# Words of a program's inside, which are in no answer.
INSIDE = re.compile(r'Traceback|File "/|site-packages|/tmp/|127\.0\.0\.1:\d{5}')
INSIDE_SHOWN = "the inside of the server"
# MLflow answers with an SQL statement that fails, and with the values that the caller sent: docs/security.md.
SQL = re.compile("psycopg2|sqlalche|sqlite3")
SQL_SHOWN = "SQL"
Settings = dict[str, str]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A login whose accounts have no permissions but those on what they make."""
    return login(tmp_path_factory.mktemp("login"), "NO_PERMISSIONS")


@pytest.fixture(scope="module")
def keepers(start_pair: Callable[..., Pair], s3: S3, settings: Settings) -> dict[str, tuple[Keeper, Keeper]]:
    """Anna and bert, at either server."""
    env = {"MLFLOW_KUBERNETES_APP_NAME": "basic-auth", **settings, **s3.environment("plain"), **GATEWAY}
    pair = start_pair(**env)
    return {"plain": keep(pair.upstream), "ours": keep(pair.direct)}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> list[Route]:
    """Those that do something, each in one of its spellings."""
    return distinct_routes(tmp_path_factory.mktemp("routes"), **settings)


def ask(keeper: Keeper, call: Call) -> requests.Response:
    """Send a call with the ids of this server."""
    kind = call.headers.get("Content-Type", "")
    body = call.body and filled(call.body, keeper.ids).encode("latin-1" if "protobuf" in kind else "utf-8")
    query = {name: refilled(value, keeper.ids) for name, value in call.query.items()}
    headers = {name: filled(value, keeper.ids).encode() for name, value in call.headers.items()}
    path = filled(call.path, keeper.ids)
    return keeper.send(call.method, path, params=query, data=body, headers=headers)


def refilled(value: object, ids: dict[str, str]) -> object:
    """A parameter with the ids of a server, also in a list."""
    if isinstance(value, list):
        return [refilled(each, ids) for each in value]
    return filled(value, ids) if isinstance(value, str) else value


def wrong(call: Call, anna: Keeper, ours: requests.Response, plain: requests.Response) -> Iterator[str]:
    """What an answer of ours must not be."""
    if ours.status_code >= 500 > plain.status_code:
        yield "fails"
    if ours.ok and not plain.ok:
        yield "allows"
    for what in learned(call, anna, ours):
        if what == SQL_SHOWN:
            shown = bool(SQL.search(plain.text))
        else:
            shown = what != INSIDE_SHOWN and named(call) in SHOWN
        if not shown:
            yield what


def named(call: Call) -> str:
    """The path of a call in its one spelling."""
    return call.path.replace("ajax-api", "api")


def learned(call: Call, anna: Keeper, answer: requests.Response) -> Iterator[str]:
    """What an answer to anna must not hold: the server's inside, SQL, or of bert what she did not send."""
    if INSIDE.search(answer.text.replace(anna.url, "")):  # redirects name it
        yield INSIDE_SHOWN
    if SQL.search(answer.text):
        yield SQL_SHOWN
    if MARK in answer.text:
        yield "content of bert"
    if any(each in answer.text for each in ids_of_bert(anna) - ids_sent(call, anna) - anna.wrote):
        yield "an id of bert"


def ids_of_bert(anna: Keeper) -> set[str]:
    """Those too long to be met by chance."""
    return {value for name, value in anna.ids.items() if name.startswith("berts-") and len(value) > 20}


def ids_sent(call: Call, anna: Keeper) -> set[str]:
    """Ids of bert in a call."""
    sent = filled(call.whole(), anna.ids)
    return {each for each in ids_of_bert(anna) if each in sent}


def remember(call: Call, anna: Keeper, answer: requests.Response) -> None:
    """Ids of bert that anna wrote into what is hers; she may read them there."""
    writes = call.method != "GET" and "search" not in call.path
    into_hers = "<annas-" in call.whole() or call.path.endswith("/create")
    if writes and into_hers and answer.ok:
        anna.wrote |= ids_sent(call, anna)


def test_nothing_of_others(keepers: dict[str, tuple[Keeper, Keeper]], routes: list[Route]) -> None:
    anna = keepers["ours"][0]
    chance, strangers, found = random.Random(SEED), Strangers(SEED, ambiguous=True), []
    chance.shuffle(routes)
    for route in itertools.islice(itertools.cycle(routes), CALLS or len(routes)):
        call = strangers.call(route)
        plain, ours = ask(keepers["plain"][0], call), ask(anna, call)
        remember(call, anna, ours)
        for what in wrong(call, anna, ours, plain):
            answers = " | ".join(f"{each.status_code} {each.text[:400]!r}" for each in (plain, ours))
            found.append(f"{what}: {call}: {answers}")
            print(found[-1])  # a long run may be ended
    assert found == [], "\n".join(found)


def test_the_calls_find_what_there_is(keepers: dict[str, tuple[Keeper, Keeper]], routes: list[Route]) -> None:
    """Sent by bert himself, they find it: only permissions keep anna from it."""
    bert, strangers, found = keepers["ours"][1], Strangers(SEED), set()
    for route in [each for each in routes if each.method == "GET"] * 3:
        if MARK in ask(bert, strangers.call(route)).text:
            found.add(route.path)
    assert len(found) > 15, found


def test_what_mlflow_shows(keepers: dict[str, tuple[Keeper, Keeper]]) -> None:
    """Roles and what they permit, to every account that has made something."""
    for anna, bert in keepers.values():
        listed = anna.send("GET", "/api/3.0/mlflow/roles/list?workspace=default").text
        one = anna.send("GET", f"/api/3.0/mlflow/roles/get?role_id={bert.ids['role']}").text
        assert f"{MARK}-role" in listed and f"{MARK}-role" in one


def test_the_page_of_routes(keepers: dict[str, tuple[Keeper, Keeper]], routes: list[Route]) -> None:
    """A route that docs/routes.md shows as denied is denied. Last, as it removes what bert has."""
    found = route_table.answers(ask, *keepers["ours"], routes)
    route_table.record("basic", found)
    assert route_table.opened(route_table.read()["basic"], found) == []
    assert sum(other in (401, 403) and own < 300 for other, own in found.values()) > 50, found
