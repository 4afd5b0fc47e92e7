"""With auth.mode oidc too, an account without permissions learns nothing of another one."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from runtime import graphql, route_table
from runtime.attacks.test_traces_of_others import begin, span
from runtime.belongings import MARK, Keeper, keep_as
from runtime.oidc.conftest import Site
from runtime.oidc.people import browser, log_in, make_token
from runtime.oidc.test_oidc import ANNA, BERT, OLGA
from runtime.routes import Route, distinct_routes
from runtime.server import Server
from runtime.strangers import Call, Strangers
from runtime.test_two_accounts import GATEWAY, SEED, SQL_SHOWN, ask, learned, named, remember

CALLS = int(os.environ.get("TESTS_ACCOUNTS_CALLS", "0"))  # 0 means each route once
# The plugin's rule, without workspaces: docs/security.md. `test_what_the_plugin_shows` fails when it is gone.
REGISTRY = "/api/3.0/mlflow/mcp-servers"


@pytest.fixture(scope="module")
def keepers(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Keeper, Keeper]]:
    """Anna and bert with personal tokens, at a server of their own."""
    server = Server(tmp_path_factory.mktemp("two"), {**site.other.env, **GATEWAY}).start().ready()
    logged_in = []
    for name in (OLGA, ANNA, BERT):
        session = browser()
        log_in(session, site.server, name)
        token = make_token(session, site.server, f"two-{server.port}", timedelta(days=1))["token"]
        logged_in.append(Keeper(server.url, (name, token)))
    olga, _, bert = logged_in
    bert.helper = olga  # of the plugin only administrators make issues
    yield keep_as(*logged_in)
    server.kill()


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """MLflow's that do something, each in one of its spellings."""
    return distinct_routes(tmp_path_factory.mktemp("routes"))


def test_nothing_of_others(keepers: tuple[Keeper, Keeper], routes: list[Route]) -> None:
    anna, chance, strangers, found = keepers[0], random.Random(SEED), Strangers(SEED, ambiguous=True), []
    chance.shuffle(routes)
    for number in range(CALLS or len(routes)):
        call = strangers.call(routes[number % len(routes)])
        answer = ask(anna, call)
        remember(call, anna, answer)
        wrong = [what for what in learned(call, anna, answer) if not shown(what, call)]
        if wrong:
            found.append(f"{', '.join(wrong)}: {call}: {answer.status_code} {answer.text[:400]!r}")
            print(found[-1])
    assert found == [], "\n".join(found)


def shown(what: str, call: Call) -> bool:
    """Whether MLflow or the plugin is known to show it."""
    return what == SQL_SHOWN or (call.method == "GET" and named(call).startswith(REGISTRY))


def test_what_the_plugin_shows(keepers: tuple[Keeper, Keeper]) -> None:
    """MCP servers, which only administrators register, to every account, which cannot change them."""
    anna = keepers[0]
    assert f"{MARK}-server" in anna.send("GET", REGISTRY).text
    assert f"{MARK}-server" in anna.send("GET", f"{REGISTRY}/org.example/berts").text
    changed = {"description": "changed"}
    assert anna.send("PATCH", f"{REGISTRY}/org.example/berts", json=changed).status_code == 403
    assert anna.send("POST", REGISTRY, json={"name": "org.example/annas"}).status_code == 403


def test_a_job_reads_nothing_of_others(keepers: tuple[Keeper, Keeper]) -> None:
    """The plugin asks for permissions on a job's data set and traces, which jobs read without an account."""
    anna, bert = keepers
    config = {"dataset_id": anna.ids["berts-dataset"], "optimizer_type": "OPTIMIZER_TYPE_GEPA"}
    codes = {}
    for keeper, prefix in ((anna, "annas"), (bert, "berts")):
        body = {"experiment_id": anna.ids[f"{prefix}-experiment-id"], "config": config}
        body["source_prompt_uri"] = f"prompts:/{prefix}-prompt/1"
        job = {"trace_ids": [anna.ids["berts-trace"]], "serialized_scorer": "{}"}
        job["experiment_id"] = body["experiment_id"]
        codes[prefix] = [
            keeper.send("POST", "/api/3.0/mlflow/prompt-optimization/jobs", json=body).status_code,
            keeper.send(
                "POST", "/ajax-api/3.0/jobs/", json={"job_name": "invoke_scorer", "params": job}
            ).status_code,
        ]
    assert codes["annas"] == [403, 403]
    assert 403 not in codes["berts"], codes


def test_what_the_plugin_checks_is_what_mlflow_uses(keepers: tuple[Keeper, Keeper]) -> None:
    """As with basic-auth: tests/runtime/attacks/test_one_value.py and test_traces_of_others.py have more."""
    anna, bert = keepers
    ids, path, search = anna.ids, "/api/2.0/mlflow", "/api/3.0/mlflow/datasets/search"
    run, other = ids["annas-run"], ids["berts-run"]
    mine, theirs = (f"{path}/logged-models/{ids[name]}" for name in ("annas-logged", "berts-logged"))
    trace = bert.send("GET", f"/api/3.0/mlflow/traces/{ids['berts-trace']}").text
    deleted = {"params": {"name": "annas-model"}, "data": '{"name": "berts-model"}'}
    answers = [
        anna.send("PATCH", mine, json={"model_id": ids["berts-logged"], "status": "LOGGED_MODEL_READY"}),
        anna.send("GET", theirs, params={"model_id": ids["annas-logged"]}),
        anna.send("POST", f"{path}/runs/update", json={"runId": other, "run_uuid": run, "run_name": "x"}),
        anna.send("POST", f"{path}/runs/update", json={"run_uuid": other, "endTime": "x", "run_id": run}),
        anna.send("POST", search, json={"pageToken": 5, "experiment_ids": [ids["annas-experiment-id"]]}),
        anna.send(
            "DELETE", f"{path}/registered-models/delete", headers={"Content-Type": "text/plain"}, **deleted
        ),
        begin(anna, ids["berts-trace"], "annas-experiment-id"),
        span(anna, ids["berts-trace"], "annas-experiment-id"),
    ]
    assert {each.status_code for each in answers} <= {400, 403}, [each.text for each in answers]
    assert bert.send("GET", f"/api/3.0/mlflow/traces/{ids['berts-trace']}").text == trace
    assert bert.send("GET", f"{path}/registered-models/get?name=berts-model").ok


def test_graphql_shows_nothing_of_others(keepers: tuple[Keeper, Keeper]) -> None:
    graphql.check(*keepers)


def test_two_routes_of_the_plugin(keepers: tuple[Keeper, Keeper]) -> None:
    """That of the bindings of endpoints, and that of a scorer's permissions."""
    anna, bert = keepers
    path = "/api/3.0/mlflow/gateway/endpoints/bindings/list"
    assert bert.send("GET", f"{path}?endpoint_id={anna.ids['berts-endpoint-id']}").ok
    for keeper, query in ((anna, "name=x"), (bert, "name=berts-endpoint"), (bert, "endpoint_id=")):
        assert keeper.send("GET", f"{path}?{query}").status_code in (400, 403), query
    mine, theirs = (anna.ids[f"{name}-experiment-id"] for name in ("annas", "berts"))
    scorer = {"experiment_id": mine, "name": "annas-scorer", "serialized_scorer": "{}"}
    anna.make("scorers/register", scorer)
    route = f"/api/3.0/mlflow/permissions/scorers/{theirs}/berts-scorer/users"
    query = f"?experiment_id={mine}&scorer_name=annas-scorer"
    assert [anna.send("GET", f"{route}{each}").status_code for each in ("", query)] == [403, 400]
    assert bert.send("GET", route).ok


def test_the_calls_find_what_there_is(keepers: tuple[Keeper, Keeper], routes: list[Route]) -> None:
    """Sent by bert himself, they find it: only permissions keep anna from it."""
    bert, strangers, found = keepers[1], Strangers(SEED), set()
    for route in [each for each in routes if each.method == "GET"] * 3:
        if MARK in ask(bert, strangers.call(route)).text:
            found.add(route.path)
    assert len(found) > 15, found


def test_the_page_of_routes(keepers: tuple[Keeper, Keeper], routes: list[Route]) -> None:
    """A route that docs/routes.md shows as denied is denied. Last, as it removes what bert has."""
    found = route_table.answers(ask, *keepers, routes)
    route_table.record("oidc", found)
    assert route_table.opened(route_table.read()["oidc"], found) == []
    assert sum(other in (401, 403) and own < 300 for other, own in found.values()) > 50, found
