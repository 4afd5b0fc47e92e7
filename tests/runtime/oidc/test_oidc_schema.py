"""The plugin's tables and the grants of groups come with the one migration."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflowops.paths import REPO

from runtime.oidc.conftest import migrate
from runtime.oidc.plugin import settings
from runtime.oidc.provider import Provider
from runtime.postgres import Postgres

SELECT = """
    SELECT g.group_name, p.regex, p.permission FROM experiment_group_regex_permissions p
    JOIN groups g ON g.id = p.group_id ORDER BY p.priority"""


def environment_of(folder: Path, where: dict[str, str], **more: str) -> dict[str, str]:
    return settings(Provider(folder, "http://127.0.0.1:1/callback", 1), **where, **more)


def test_grants_follow_the_values(
    home: Path, postgres: Postgres, ready_database: Callable[[], dict[str, str]]
) -> None:
    where = ready_database()
    env = environment_of(home, where)
    assert "is migrated" in migrate(home, env)
    rows = [("blue", "blue-", "MANAGE"), ("red", "shared-", "READ")]
    assert postgres.query(SELECT, where["PGDATABASE"]) == rows
    assert "grants" not in migrate(home, env)  # up to date: the plugin is not even imported
    by_hand = "INSERT INTO experiment_group_regex_permissions (regex, priority, group_id, permission)"
    postgres.query(
        f"{by_hand} SELECT 'mine-', 1, id, 'EDIT' FROM groups WHERE group_name = 'red'", where["PGDATABASE"]
    )
    changed = [{"name": "blue", "pattern": "blue-", "permission": "READ"}]
    migrate(home, env | {"MLFLOW_KUBERNETES_OIDC_GROUPS": json.dumps(changed)})
    expected = [("red", "mine-", "EDIT"), ("blue", "blue-", "READ")]
    assert postgres.query(SELECT, where["PGDATABASE"]) == expected


@pytest.mark.nightly
def test_accounts_of_another_login_are_not_mixed(
    home: Path, postgres: Postgres, ready_database: Callable[[], dict[str, str]]
) -> None:
    where = ready_database()
    env = environment_of(home, where)
    basic = env | {"MLFLOW_KUBERNETES_APP_NAME": "basic-auth"}
    migrate(home, basic)
    assert "has the accounts of another login" in migrate(home, env, expected=1)
    (statement,) = re.findall(r"DROP TABLE [^;]*;", (REPO / "docs/identity.md").read_text())
    postgres.query(statement, where["PGDATABASE"])
    assert "is migrated" in migrate(home, env)
    assert "has the accounts of another login" in migrate(home, basic, expected=1)


def test_an_image_without_the_plugin_is_refused(
    home: Path, ready_database: Callable[[], dict[str, str]]
) -> None:
    env = environment_of(home, ready_database())
    del env["PYTHONPATH"]
    said = migrate(home, env, expected=1)
    assert "auth.mode: oidc needs the package mlflow-oidc-auth, which the image lacks" in said
