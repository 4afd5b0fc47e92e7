"""People log in at a real provider, and their groups decide what they see; programs have tokens."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflowops.health import server as health

from runtime.audit_lines import by_id
from runtime.network import wait_until
from runtime.oidc.conftest import Site
from runtime.oidc.people import PAGE, SECONDS, browser, call, client, log_in, make_token

ANNA, BERT, CARL, OLGA = (f"{name}@example.com" for name in ("anna", "bert", "carl", "olga"))


@pytest.fixture
def anna(site: Site) -> requests.Session:
    return logged_in(site, ANNA)


def logged_in(site: Site, name: str) -> requests.Session:
    session = browser()
    page = log_in(session, site.server, name)
    assert page.url.startswith(site.server.url) and page.ok, (page.url, page.text)
    assert "<title>MLflow</title>" in page.text
    return session


def make(session: requests.Session, site: Site, name: str) -> requests.Response:
    return call(session, site.server, "POST", "experiments/create", json={"name": name})


def found(session: requests.Session, site: Site) -> set[str]:
    answer = call(session, site.server, "POST", "experiments/search", json={"max_results": 1000})
    assert answer.ok, answer.text
    return {each["name"] for each in answer.json().get("experiments", [])}


def test_without_a_login_nothing_is_served(site: Site) -> None:
    answer = call(browser(), site.server, "POST", "experiments/search", json={"max_results": 1})
    assert answer.status_code == 401
    form = browser().get(f"{site.server.url}/", headers=PAGE, timeout=SECONDS)
    assert form.url.startswith(site.provider.issuer)


def test_a_session_holds_on_another_pod(site: Site, anna: requests.Session) -> None:
    answer = call(anna, site.other, "GET", "users/current")
    assert answer.ok and answer.json()["username"] == ANNA, answer.text
    page = anna.get(f"{site.other.url}/", headers=PAGE, timeout=SECONDS)
    assert "<title>MLflow</title>" in page.text


def test_pages_have_mlflows_security_headers(site: Site, anna: requests.Session) -> None:
    page = anna.get(f"{site.server.url}/", headers=PAGE, timeout=SECONDS)
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_groups_decide_what_people_see(site: Site, anna: requests.Session) -> None:
    olga, bert = logged_in(site, OLGA), logged_in(site, BERT)
    names = {f"{prefix}-{site.server.port}" for prefix in ("blue", "shared", "secret")}
    for name in names:
        assert make(olga, site, name).ok
    assert names <= found(olga, site)
    assert found(anna, site) & names == {f"blue-{site.server.port}"}
    assert found(bert, site) & names == {f"shared-{site.server.port}"}


def test_someone_without_an_allowed_group_is_refused(site: Site) -> None:
    session = browser()
    page = log_in(session, site.server, CARL)
    assert "User%20is%20not%20allowed" in page.url or "not+allowed" in page.url, page.url
    assert call(session, site.server, "POST", "experiments/search", json={}).status_code == 401


def test_a_removed_group_takes_effect_at_the_next_login(site: Site) -> None:
    name = "dora@example.com"
    site.provider.knows({name: ["blue"], OLGA: ["operators"], ANNA: ["blue"], BERT: ["red"]})
    logged_in(site, name)
    site.provider.knows({name: [], OLGA: ["operators"], ANNA: ["blue"], BERT: ["red"]})
    assert "allowed" in log_in(browser(), site.server, name).url


def test_programs_log_in_with_a_personal_token(
    site: Site, anna: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_token(anna, site.server, "sdk", timedelta(days=1))
    mlflow = client(monkeypatch, site.other, ANNA, made["token"])
    experiment = mlflow.create_experiment(f"blue-sdk-{site.server.port}")
    run = mlflow.create_run(experiment)
    mlflow.log_metric(run.info.run_id, "accuracy", 0.5)
    mlflow.log_text(run.info.run_id, "text", "note.txt")
    assert mlflow.get_run(run.info.run_id).data.metrics == {"accuracy": 0.5}
    assert call(anna, site.server, "DELETE", f"users/current/tokens/{made['id']}").ok
    refused(lambda: mlflow.get_run(run.info.run_id))


def test_programs_log_in_with_a_token_of_the_provider(site: Site, anna: requests.Session) -> None:
    token = site.provider.token(ANNA)
    answer = call(browser(), site.other, "GET", "users/current", headers={"Authorization": f"Bearer {token}"})
    assert answer.ok and answer.json()["username"] == ANNA, answer.text
    head, body, signature = token.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    answer = call(
        browser(), site.other, "GET", "users/current", headers={"Authorization": f"Bearer {forged}"}
    )
    assert answer.status_code == 401


def test_the_health_command_takes_an_administrators_token(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make_token(logged_in(site, OLGA), site.server, "health", timedelta(days=1))["token"]
    client(monkeypatch, site.server, OLGA, token)
    checks = health.checks(health.ServerClient(site.server.url, SECONDS))
    statuses = {check.name: check.status for check in checks}
    assert statuses == dict.fromkeys(("health", "version", "database", "artifacts"), "ok")


def test_calls_are_counted(site: Site, anna: requests.Session) -> None:
    def counted() -> float:
        return site.metrics.page().sum("mlflow_http_requests_total")

    found(anna, site)
    before = counted()
    for _ in range(3):
        found(anna, site)
    assert counted() >= before + 3


def test_an_expired_token_is_refused(
    site: Site, anna: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_token(anna, site.server, "soon-over", timedelta(days=1))
    mlflow = client(monkeypatch, site.server, ANNA, made["token"])
    assert mlflow.search_experiments(max_results=1) is not None
    site.query(
        f"UPDATE user_tokens SET expires_at = now() - interval '1 second' WHERE id = {made['id']} RETURNING 1"
    )
    refused(lambda: mlflow.search_experiments(max_results=1))


def refused(ask: Any) -> None:
    with pytest.raises(MlflowException, match=r"401|Authentication required"):
        ask()


def test_a_call_that_waits_stops_no_other_of_its_worker(site: Site, anna: requests.Session) -> None:
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    lock = site.postgres.connect(site.database)
    with closing(lock), ThreadPoolExecutor(1) as pool:
        lock.cursor().execute("LOCK TABLE experiments IN ACCESS EXCLUSIVE MODE")
        waiting = pool.submit(make, logged_in(site, OLGA), site, f"late-{site.server.port}")
        wait_until("a call that waits", lambda: bool(site.query(waits)))
        answer = anna.get(f"{site.server.url}/version", timeout=SECONDS)
        assert answer.ok and not waiting.done()
        lock.rollback()
        assert waiting.result().ok


def test_an_account_may_not_name_foreign_places(site: Site, anna: requests.Session) -> None:
    body = {"name": f"blue-foreign-{site.server.port}", "artifact_location": "s3://other/place"}
    answer = call(anna, site.server, "POST", "experiments/create", json=body)
    assert answer.status_code == 403 and "only an administrator" in answer.text, answer.text
    body["name"] += "-of-olga"
    answer = call(logged_in(site, OLGA), site.server, "POST", "experiments/create", json=body)
    assert answer.ok, answer.text


def test_the_audit_log_names_the_account_and_its_login(site: Site, anna: requests.Session) -> None:
    made = make_token(anna, site.server, "audited", timedelta(days=1))["token"]
    ways: dict[str, tuple[requests.Session, dict[str, Any]]] = {
        "session": (anna, {}),
        "basic": (browser(), {"auth": (ANNA, made)}),
        "bearer": (browser(), {"headers": {"Authorization": f"Bearer {site.provider.token(ANNA)}"}}),
        "none": (browser(), {}),
    }
    for name, (session, how) in ways.items():
        headers = {**how.get("headers", {}), "X-Request-ID": f"audited-{name}"}
        body = {"name": f"blue-audited-{name}-{site.server.port}"}
        sent = {**how, "headers": headers, "json": body}
        assert call(session, site.server, "POST", "experiments/create", **sent).ok == (name != "none")
    lines = by_id(site.server, *(f"audited-{name}" for name in ways))
    seen = {
        name: [(line["user"], line["login"], line["result"]) for line in found]
        for name, found in lines.items()
    }
    assert {name: seen[f"audited-{name}"] for name in ways} == {
        "session": [(ANNA, "session", "ok")],
        "basic": [(ANNA, "basic", "ok")],
        "bearer": [(ANNA, "bearer", "ok")],
        "none": [("", "", "denied")],
    }


def test_the_audit_log_has_what_graphql_denies(site: Site, anna: requests.Session) -> None:
    """It answers 200 with null, for an experiment of others and for one that does not exist."""
    olga = logged_in(site, OLGA)
    hidden = make(olga, site, f"secret-audited-{site.server.port}").json()["experiment_id"]
    results = {}
    asked = (("denied", anna, hidden), ("failed", anna, "77777"), ("ok", olga, hidden))
    for name, session, experiment in asked:
        wanted = f'mlflowGetExperiment(input: {{experimentId: "{experiment}"}})'
        query = f"query {{{wanted} {{experiment {{name}}}}}}"
        sent = {"json": {"query": query}, "headers": {"X-Request-ID": f"graphql-{name}"}}
        answer = session.post(f"{site.server.url}/graphql", timeout=SECONDS, **sent)
        results[name] = answer.status_code, bool((answer.json()["data"] or {}).get("mlflowGetExperiment"))
    assert results == {"denied": (200, False), "failed": (200, False), "ok": (200, True)}
    lines = by_id(site.server, "graphql-denied", "graphql-failed")
    assert [(each["user"], each["result"]) for each in lines["graphql-denied"]] == [(ANNA, "denied")]
    assert [each["result"] for each in lines["graphql-failed"]] == ["denied"]
    assert "graphql-ok" not in lines, "it only reads"


def test_no_secret_is_logged(site: Site, anna: requests.Session) -> None:
    """After a login of a person: the client's secret, keys and tokens stay out of the log."""
    token = make_token(anna, site.server, "logged", timedelta(days=1))["token"]
    assert call(browser(), site.server, "GET", "users/current", auth=(ANNA, token)).ok
    for server in (site.server, site.other):
        text = server.log.read_text()
        secrets = [token, server.env["OIDC_CLIENT_SECRET"], server.env["MLFLOW_FLASK_SERVER_SECRET_KEY"]]
        assert not [secret for secret in secrets if secret in text]
