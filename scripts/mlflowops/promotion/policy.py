"""Reads the rules of a promotion from a YAML file and from options.

alias: champion                  # the name that moves to the winner
stage: Production                # also set this stage while servers have stages; none leaves stages alone
min: {test_accuracy: 0.90}       # refuse below
max: {latency_ms: 50}            # refuse above
improve: {test_accuracy: 0.01}   # be better than the champion by at least this; 0 means not worse
lower_is_better: [cv_gap]        # beside the usual ones: rmse, loss, latency...
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from mlflowops.errors import OpsError
from mlflowops.metric import is_number

Limits = dict[str, float]
STAGES = ("Production", "Staging", "none")
LIMITS = {"min": "minimum", "max": "maximum", "improve": "improve"}


@dataclass(frozen=True)
class Policy:
    """The rules of a promotion."""

    alias: str = "champion"
    stage: str = "Production"
    minimum: Limits = field(default_factory=dict)
    maximum: Limits = field(default_factory=dict)
    improve: Limits = field(default_factory=dict)
    lower_is_better: frozenset[str] = frozenset()

    def validated(self) -> "Policy":
        """Return the policy itself.

        Raises:
            OpsError: It has no rules, or an unknown stage.
        """
        if self.stage not in STAGES:
            raise OpsError(f"stage {self.stage}", "unknown", f"use {', '.join(STAGES)}")
        if not (self.minimum or self.maximum or self.improve):
            instead = "give --min, --max or --improve, or a --policy that has them"
            raise OpsError("promote", "there is no rule, so every model would pass", instead)
        return self


def from_file(path: Path) -> Policy:
    """Read a policy; every key of the file must be known."""
    what = f"--policy {path}"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise OpsError(what, f"unreadable ({error})", "give a YAML file") from error
    if not isinstance(data, dict):
        raise OpsError(what, "not a mapping", "write for example `min: {test_f1: 0.8}`")
    unknown = set(data) - {"alias", "stage", "lower_is_better", *LIMITS}
    if unknown:
        known = f"alias, stage, {', '.join(LIMITS)}, lower_is_better"
        raise OpsError(what, f"unknown key {', '.join(map(str, sorted(unknown)))}", f"use {known}")
    limits = {LIMITS[key]: _limits(f"{what}: {key}", data[key]) for key in LIMITS if key in data}
    words = {key: _text(f"{what}: {key}", data[key]) for key in ("alias", "stage") if key in data}
    lower = _names(f"{what}: lower_is_better", data.get("lower_is_better", []))
    return Policy(lower_is_better=lower, **limits, **words)  # type: ignore[arg-type]


def with_options(
    policy: Policy,
    *,
    minimum: Iterable[str],
    maximum: Iterable[str],
    improve: Iterable[str],
    lower: Iterable[str],
    alias: str | None,
    stage: str | None,
) -> Policy:
    """Return the policy with what the options add or change; an option wins over the file."""
    return replace(
        policy,
        minimum=policy.minimum | dict(_pair("--min", text) for text in minimum),
        maximum=policy.maximum | dict(_pair("--max", text) for text in maximum),
        improve=policy.improve | dict(_pair("--improve", text, default="0") for text in improve),
        lower_is_better=policy.lower_is_better | set(lower),
        alias=alias or policy.alias,
        stage=stage or policy.stage,
    )


def _pair(option: str, text: str, default: str = "") -> tuple[str, float]:
    metric, _, limit = text.rpartition("=") if "=" in text else (text, "", default)
    try:
        number = float(limit)
    except ValueError:
        number = float("nan")
    if not metric or not is_number(number):
        raise OpsError(f"{option} {text}", "not metric=number", f"write for example {option} test_f1=0.8")
    return metric, number


def _limits(what: str, value: Any) -> Limits:
    if not isinstance(value, dict) or not all(is_number(limit) for limit in value.values()):
        raise OpsError(what, "not a mapping of metrics to numbers", "write for example {test_f1: 0.8}")
    return {str(metric): float(limit) for metric, limit in value.items()}


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise OpsError(what, f"{value!r} is not a name", "write a word")
    return value


def _names(what: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise OpsError(what, "not a list of metrics", "write for example [rmse]")
    return frozenset(value)
