"""An account neither takes nor changes a trace of another account by its id."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
import requests

from runtime.attacks.logins import LAUNCHERS, SETTINGS
from runtime.basic_auth import ADMIN
from runtime.belongings import BERT, MARK, SECOND, Keeper, keep
from runtime.server import Server
from runtime.test_two_accounts import GATEWAY

API, API3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
NANO = 10**6
TIMES = dict.fromkeys(("create_time", "last_update_time"), "2026-09-21T14:13:20Z")
Keepers = tuple[Keeper, Keeper]


@pytest.fixture(scope="module", params=LAUNCHERS)
def keepers(request: pytest.FixtureRequest, start: Callable[..., Server]) -> Keepers:
    """Anna and bert, who have permissions on what they make only."""
    settings = {**SETTINGS, **GATEWAY, "MLFLOW_KUBERNETES_AUTH_PERMISSION": "NO_PERMISSIONS"}
    return keep(start(**settings, MLFLOW_KUBERNETES_LAUNCHER=request.param).ready())


def new_id() -> str:
    return f"tr-{secrets.token_hex(16)}"


def begin(keeper: Keeper, trace: str, experiment: str, **more: Any) -> requests.Response:
    """Start a trace, as MLflow's clients do."""
    where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": keeper.ids[experiment]}}
    info = {"trace_id": trace, "trace_location": where, "request_time": TIMES["create_time"], "state": "OK"}
    return keeper.send("POST", f"{API3}/traces", json={"trace": {"trace_info": {**info, **more}}})


def span(keeper: Keeper, trace: str, experiment: str, **headers: str) -> requests.Response:
    """Send a span, as OpenTelemetry does."""
    one = {"traceId": trace.removeprefix("tr-"), "spanId": secrets.token_hex(8), "name": "a span", "kind": 1}
    one |= {"startTimeUnixNano": str(SECOND * NANO), "endTimeUnixNano": str((SECOND + 1) * NANO)}
    text = {"stringValue": json.dumps(f"{MARK}-{BERT[0] if experiment.startswith('berts') else 'span'}")}
    one["attributes"] = [{"key": "mlflow.spanInputs", "value": text}]
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [one]}]}]}
    kind = {"Content-Type": "application/json", "x-mlflow-experiment-id": keeper.ids[experiment]}
    return keeper.send("POST", "/v1/traces", data=json.dumps(body), headers={**kind, **headers})


def assessment(trace: str, value: str, **more: str) -> dict[str, Any]:
    """An assessment of a trace."""
    made = {"assessment_name": "quality", "trace_id": trace, "feedback": {"value": value}, **TIMES, **more}
    return {**made, "source": {"source_type": "HUMAN", "source_id": "bert"}}


def whole(keeper: Keeper, trace: str) -> str:
    """A trace with its assessments, and with its spans if the database has them."""
    answer = keeper.send("GET", f"{API3}/traces/{trace}")
    assert answer.ok, answer.text
    return answer.text + keeper.send("GET", f"{API3}/traces/get?trace_id={trace}").text


def test_a_trace_keeps_its_experiment(keepers: Keepers) -> None:
    """One that a client started, one of OpenTelemetry, and their spans."""
    anna, bert = keepers
    for trace in (new_id(), bert.ids["berts-trace"]):
        if trace != bert.ids["berts-trace"]:
            assert span(bert, trace, "berts-experiment-id").ok
        before = whole(bert, trace)
        answers = [
            begin(anna, trace, "annas-experiment-id"),
            begin(anna, trace, "annas-experiment-id", assessments=[assessment(trace, "x")]),
            begin(anna, trace, "berts-experiment-id"),
            span(anna, trace, "annas-experiment-id"),
            span(anna, trace, "berts-experiment-id"),
        ]
        assert {each.status_code for each in answers} == {403}, [each.text for each in answers]
        assert anna.send("GET", f"{API3}/traces/get?trace_id={trace}").status_code == 403
        assert whole(bert, trace) == before


def test_no_experiment_is_inside_another_one(keepers: Keepers) -> None:
    """An account with such an experiment would read the files of traces whose ids it knows."""
    anna, ids = keepers[0], keepers[0].ids
    other = ids["berts-experiment-id"]
    for place in (
        other,
        f"/{other}",
        f"/{other}/traces",
        "/%31",
        "/workspaces",
    ):
        body = {"name": f"in {place}", "artifact_location": f"mlflow-artifacts:{place}"}
        answer = anna.send("POST", f"{API}/experiments/create", json=body)
        assert answer.status_code == 403, (place, answer.text)
    for place in ("/team", "/team/1"):
        body = {"name": f"in {place}", "artifact_location": f"mlflow-artifacts:{place}"}
        assert anna.send("POST", f"{API}/experiments/create", json=body).ok, place


def test_an_assessment_keeps_its_trace(keepers: Keepers) -> None:
    """An account may neither move one by its id, nor bring back one that another has overridden."""
    anna, bert = keepers
    theirs, mine = new_id(), new_id()
    assert begin(bert, theirs, "berts-experiment-id").ok and begin(anna, mine, "annas-experiment-id").ok
    path = f"traces/{theirs}/assessments"
    first = bert.make(path, {"assessment": assessment(theirs, "first")})["assessment"]["assessment_id"]
    bert.make(path, {"assessment": assessment(theirs, "second", overrides=first)})
    before = whole(bert, theirs)
    for named in (
        {"assessment_id": first},
        {"overrides": first},
        {"assessment_id": "a-x", "overrides": first},
    ):
        for trace in (mine, new_id()):
            body = [assessment(trace, "annas", **named)]
            answer = begin(anna, trace, "annas-experiment-id", assessments=body)
            assert answer.status_code == 403, (named, answer.text)
    assert whole(bert, theirs) == before
    trace = new_id()
    assert begin(anna, trace, "annas-experiment-id", assessments=[assessment(trace, "annas")]).ok


def test_no_trace_is_linked_to_the_run_of_others(keepers: Keepers) -> None:
    anna, bert = keepers
    mine, linked = new_id(), new_id()
    header = "x-mlflow-run-id"
    assert span(anna, mine, "annas-experiment-id", **{header: anna.ids["berts-run"]}).ok
    assert span(anna, linked, "annas-experiment-id", **{header: anna.ids["annas-run"]}).ok
    assert MARK in whole(anna, mine), "only the link is refused"

    def traces_of(keeper: Keeper, name: str) -> str:
        place = {"type": "MLFLOW_EXPERIMENT"}
        body = {
            "locations": [
                {**place, "mlflow_experiment": {"experiment_id": keeper.ids[f"{name}-experiment-id"]}}
            ]
        }
        body["filter"] = f"run_id = '{keeper.ids[f'{name}-run']}'"  # type: ignore[assignment]
        return keeper.send("POST", f"{API3}/traces/search", json=body).text

    assert mine not in traces_of(bert, "berts")
    assert linked in traces_of(anna, "annas")


def test_who_may_update_both_experiments_writes_to_both(keepers: Keepers) -> None:
    """A trace of services whose experiments differ, and a trace whose spans arrive first."""
    anna, bert = keepers
    trace = new_id()
    assert span(anna, trace, "annas-experiment-id").ok
    assert begin(anna, trace, "annas-experiment-id").ok
    assert span(bert, trace, "berts-experiment-id").status_code == 403
    admin = Keeper(bert.url, ADMIN, bert.ids)
    assert span(admin, trace, "berts-experiment-id").ok
    grant = {"username": "bert", "resource_type": "experiment", "permission": "EDIT"}
    granted = admin.send(
        "POST",
        f"{API3}/users/permissions/grant",
        json={**grant, "resource_id": anna.ids["annas-experiment-id"]},
    )
    assert granted.ok, granted.text
    assert span(bert, trace, "berts-experiment-id").ok
    assert f"{MARK}-bert" in whole(anna, trace)
