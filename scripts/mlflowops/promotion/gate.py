"""Evaluates the metrics of a candidate by a policy. A metric that is absent or NaN does not pass."""

import math
from dataclasses import dataclass

from mlflowops.metric import is_number, lower_is_better
from mlflowops.promotion.policy import Policy

Metrics = dict[str, float]


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule of a policy."""

    metric: str
    rule: str
    value: float | None
    passed: bool
    detail: str = ""


def evaluate(policy: Policy, candidate: Metrics, champion: Metrics | None) -> list[RuleResult]:
    """Evaluate every rule. Without a champion, rules of improvement pass."""
    checks = [
        _limit_result(candidate, metric, f"at least {limit:g}", limit, sign=1)
        for metric, limit in policy.minimum.items()
    ]
    checks += [
        _limit_result(candidate, metric, f"at most {limit:g}", limit, sign=-1)
        for metric, limit in policy.maximum.items()
    ]
    for metric, gain in policy.improve.items():
        sign = -1 if lower_is_better(metric, policy.lower_is_better) or metric in policy.maximum else 1
        checks.append(_gain_result(candidate, champion, metric, gain, sign))
    return checks


def _limit_result(candidate: Metrics, metric: str, rule: str, limit: float, sign: int) -> RuleResult:
    value = candidate.get(metric)
    if value is None or not is_number(value):
        return _not_a_number("the candidate", metric, rule, value)
    return RuleResult(metric, rule, value, sign * value >= sign * limit)


def _gain_result(
    candidate: Metrics, champion: Metrics | None, metric: str, needed: float, sign: int
) -> RuleResult:
    rule = f"{needed:g} {'less' if sign < 0 else 'more'} than the champion"
    value = candidate.get(metric)
    if value is None or not is_number(value):
        return _not_a_number("the candidate", metric, rule, value)
    if champion is None:
        return RuleResult(metric, rule, value, True, "no champion yet")
    champion_value = champion.get(metric)
    if champion_value is None or not is_number(champion_value):
        return RuleResult(metric, rule, value, False, f"the champion has no number for {metric}")
    gain = sign * (value - champion_value)
    # 0.3 - 0.2 is a little less than 0.1 for a computer.
    enough = gain >= needed or math.isclose(gain, needed, rel_tol=1e-9, abs_tol=1e-12)
    return RuleResult(metric, rule, value, enough, f"the champion has {champion_value:g}")


def _not_a_number(who: str, metric: str, rule: str, value: float | None) -> RuleResult:
    wrong = "has no metric" if value is None else "has no number for"
    return RuleResult(metric, rule, None, False, f"{who} {wrong} {metric}")
