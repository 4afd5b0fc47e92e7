"""Every key of three other charts is taken with the same meaning, or refused with what to set instead."""

import re

import pytest
import yaml
from mlflowops.migrate_values.tables import is_known, table
from mlflowops.paths import REPO
from sweep import sweep

from render import known
from render.chart import MLFLOW, Chart, Json, Refused, nested

PEERS = {file.stem: yaml.safe_load(file.read_text()) for file in (REPO / "tests/render/peers").glob("*.yaml")}
VALUES: Json = {"string": "x", "boolean": True, "integer": 1, "list": [], "map": {}}
KNOWN = known.tree(MLFLOW.schema(), MLFLOW.schema())


def sentences() -> dict[str, str]:
    """What to set instead of each key."""
    return table("renamed") | {old: f"set {new}" for old, new in table("moved").items()}


def said(chart: Chart, values: Json) -> dict[str, str]:
    """What a refusal says, by path; each line has the form of a sentence."""
    with pytest.raises(Refused) as refused:
        chart.render(values)
    lines = re.findall(r"(?m)^mlflow: (\S+): is not a key of this chart; (.*)\.$", str(refused.value))
    assert len(lines) == str(refused.value).count("is not a key of this chart")
    return dict(lines)


def nearest(path: str) -> str | None:
    """The entry of the tables that counts for a key: its own, or that of the nearest key above."""
    entries = [old for old in sentences() if f"{path}.".startswith(f"{old}.")]
    return max(entries, key=len, default=None)


def test_known_keys_are_those_of_the_schema() -> None:
    words = "run `cd tests && ../.venv/bin/python -m render.known > ../charts/mlflow/validation/known.yaml`"
    assert known.FILE.read_text() == known.text(), words


def test_no_default_is_unknown() -> None:
    """The tree reaches each key of values.yaml."""
    for section, value in MLFLOW.default().items():
        below = [f"{section}.{key}" for key in value] if isinstance(value, dict) else []
        assert all(map(is_known, [section, *below])), section


@pytest.mark.parametrize("peer", PEERS)
def test_keys_taken_as_they_are(peer: str) -> None:
    """No key of another chart is taken by chance: each is in a list that a person has read."""
    keys = PEERS[peer]["keys"]
    assert PEERS[peer]["same"] == [path for path in keys if is_known(path)] == sorted(PEERS[peer]["same"])


@pytest.mark.parametrize("peer", PEERS)
def test_all_other_keys_are_explained(chart: Chart, peer: str) -> None:
    """Set together, each gets the sentence of the tables, itself or with those around it."""
    types = {path: kind for path, kind in PEERS[peer]["keys"].items() if not is_known(path)}
    answers = said(chart, nested({path: VALUES[kind] for path, kind in types.items()}))
    for path in types:
        entry = nearest(path)
        assert entry, path
        shown = path if path in answers else max(
            (each for each in answers if path.startswith(f"{each}.")), key=len
        )  # fmt: skip
        assert answers[shown] == sentences()[entry], path


@pytest.mark.parametrize("path", sweep(sentences(), 10))
def test_every_entry_helps(path: str) -> None:
    """Its key is not one of this chart; the keys that it names are; without one it gives a reason."""
    assert not is_known(path)
    words = sentences()[path]
    named = [word for word in re.findall(r"[A-Za-z][\w.]*\w", words) if word.split(".")[0] in KNOWN]
    assert all(map(is_known, named)), named
    assert named or re.match("(remove it, |use `|set up |make .* of your|put those objects)", words)
    assert ";" not in words and not words.endswith(".")


def test_moved_keys_are_not_renamed_too() -> None:
    assert not table("moved").keys() & table("renamed").keys()
    assert all(map(is_known, table("moved").values()))


@pytest.mark.parametrize("path", ["tracking.replicaCount", "minio.mode", "postgresql.auth.password", "env"])
def test_one_alone(chart: Chart, path: str) -> None:
    (answer,) = said(chart, nested({path: "x"})).values()
    assert answer == sentences()[nearest(path) or ""]


def test_no_value_is_repeated(chart: Chart) -> None:
    with pytest.raises(Refused) as refused:
        chart.render({"externalDatabase": {"password": "hunter2"}, "pasword": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_keys_of_an_umbrella_pass(chart: Chart) -> None:
    """Below `global` stand keys of its other charts."""
    assert chart.render({"global": {"security": {"allowInsecureImages": True}}}).text == chart.render().text
