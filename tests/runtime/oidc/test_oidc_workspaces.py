"""Groups of the provider and their workspaces, as auth.oidc.groups grants them."""

import json
from collections.abc import Callable, Iterator

import pytest
import requests

from runtime.network import wait_until
from runtime.oidc.conftest import Site, migrate, open_site
from runtime.oidc.people import SECONDS
from runtime.oidc.test_oidc import ANNA, BERT, OLGA, logged_in
from runtime.postgres import Postgres

GRANTS = [
    {"name": "blue", "workspace": "blue", "permission": "MANAGE"},
    {"name": "red", "workspace": "blue", "permission": "READ"},
]


@pytest.fixture(scope="module")
def teams(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Postgres,
    ready_database: Callable[[], dict[str, str]],
) -> Iterator[Site]:
    """A site with two workspaces; anna's group manages one, and bert's reads it."""
    own = {
        "MLFLOW_ENABLE_WORKSPACES": "true",
        "MLFLOW_KUBERNETES_OIDC_GROUPS": json.dumps(GRANTS),
        "OIDC_WORKSPACE_CLAIM_NAME": "no claim",
        "OIDC_WORKSPACE_REQUIRE_CREATION_CONTEXT": "true",
        "WORKSPACE_CACHE_TTL_SECONDS": "2",
        "PERMISSION_CACHE_TTL_SECONDS": "2",
    }
    with open_site(tmp_path_factory, postgres, ready_database(), **own) as site:
        olga = logged_in(site, OLGA)
        for name in ("blue", "green"):
            made = olga.post(
                f"{site.server.url}/api/3.0/mlflow/workspaces", json={"name": name}, timeout=SECONDS
            )
            assert made.status_code == 201, made.text
        yield site


def create(session: requests.Session, site: Site, workspace: str, name: str) -> int:
    path = f"{site.server.url}/api/2.0/mlflow/experiments/create"
    headers = {"X-MLFLOW-WORKSPACE": workspace}
    return session.post(path, json={"name": name}, headers=headers, timeout=SECONDS).status_code


def names(session: requests.Session, site: Site, workspace: str) -> set[str]:
    path = f"{site.server.url}/api/2.0/mlflow/experiments/search"
    headers = {"X-MLFLOW-WORKSPACE": workspace}
    answer = session.post(path, json={"max_results": 100}, headers=headers, timeout=SECONDS)
    return {each["name"] for each in answer.json().get("experiments", [])}


def test_a_group_has_its_workspace(teams: Site) -> None:
    anna, bert, olga = (logged_in(teams, name) for name in (ANNA, BERT, OLGA))
    assert (create(anna, teams, "blue", "of anna"), create(anna, teams, "green", "no")) == (200, 403)
    assert create(olga, teams, "green", "of olga") == 200
    assert create(bert, teams, "blue", "no") == 403
    assert "of anna" in names(bert, teams, "blue")
    assert names(anna, teams, "green") == names(bert, teams, "green") == set()
    listed = anna.get(f"{teams.server.url}/api/3.0/mlflow/workspaces", timeout=SECONDS).json()["workspaces"]
    assert [each["name"] for each in listed] == ["blue"]


def test_servers_of_tools_stay_in_their_workspace(teams: Site) -> None:
    """Without workspaces, every account reads the registry of MCP servers."""
    anna, bert, olga = (logged_in(teams, name) for name in (ANNA, BERT, OLGA))
    path = f"{teams.server.url}/api/3.0/mlflow/mcp-servers"
    blue, green = ({"X-MLFLOW-WORKSPACE": name} for name in ("blue", "green"))
    for who, where, name in ((anna, blue, "of-blue"), (olga, green, "of-green")):
        made = who.post(path, json={"name": f"org.example/{name}"}, headers=where, timeout=SECONDS)
        assert made.ok, made.text
    listed = bert.get(path, headers=blue, timeout=SECONDS).json()["mcp_servers"]
    assert [each["name"] for each in listed] == ["org.example/of-blue"]
    for where in (green, blue, {}):
        answer = anna.get(f"{path}/org.example/of-green", headers=where, timeout=SECONDS)
        assert answer.status_code in (403, 404), (where, answer.text)
    assert "of-green" not in anna.get(path, headers=green, timeout=SECONDS).text


def test_who_manages_a_workspace_moves_it_nowhere(teams: Site) -> None:
    """Its artifacts would be read with the server's credentials."""
    anna, olga = logged_in(teams, ANNA), logged_in(teams, OLGA)
    path = f"{teams.server.url}/api/3.0/mlflow/workspaces/blue"
    for body in (
        {"default_artifact_root": "s3://backups/"},
        {"trace_archival_config": {"location": "file:///etc"}},
    ):
        assert anna.patch(path, json=body, timeout=SECONDS).status_code == 403, body
    assert anna.patch(path, json={"description": "of blue"}, timeout=SECONDS).ok
    assert olga.patch(path, json={"default_artifact_root": ""}, timeout=SECONDS).ok


def test_without_a_workspace_nothing_is_made(teams: Site) -> None:
    """Else everyone who logs in could write into `default`."""
    anna = logged_in(teams, ANNA)
    for headers in ({}, {"X-MLFLOW-WORKSPACE": "default"}, {"X-MLFLOW-WORKSPACE": ""}):
        for what in ("experiments", "registered-models"):
            path = f"{teams.server.url}/api/2.0/mlflow/{what}/create"
            answer = anna.post(path, json={"name": "anywhere"}, headers=headers, timeout=SECONDS)
            assert answer.status_code == 403, (what, headers, answer.text)


def test_a_grant_that_leaves_the_values_is_removed(teams: Site) -> None:
    anna, bert = logged_in(teams, ANNA), logged_in(teams, BERT)
    assert create(anna, teams, "blue", "for bert") == 200
    wait_until("the grant", lambda: "for bert" in names(bert, teams, "blue"))
    env = {**teams.other.env, "MLFLOW_KUBERNETES_OIDC_GROUPS": json.dumps(GRANTS[:1])}
    assert "the grants of groups are those of auth.oidc.groups" in migrate(teams.provider.folder, env)
    wait_until("the end of the grant", lambda: names(bert, teams, "blue") == set())
    assert "for bert" in names(anna, teams, "blue")
