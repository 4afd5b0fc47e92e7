"""`mlflowops promote`: makes a model version the champion if it passes the policy."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from mlflowops import console, tracking
from mlflowops.output import Output, OutputOption
from mlflowops.promotion import policy as policies
from mlflowops.promotion.gate import evaluate
from mlflowops.promotion.policy import Policy

if TYPE_CHECKING:
    from mlflow import MlflowClient

Texts = list[str]
REFUSED = 1


def promote(
    model: Annotated[str, typer.Argument(help="Name of the registered model.")],
    version: Annotated[str | None, typer.Option(help="Version; default: the newest.")] = None,
    min_: Annotated[Texts | None, typer.Option("--min", help="Refuse below: test_f1=0.8.")] = None,
    max_: Annotated[Texts | None, typer.Option("--max", help="Refuse above: latency_ms=50.")] = None,
    improve: Annotated[
        Texts | None,
        typer.Option(
            help="Require a better value than the champion's (test_f1), or better by at least: test_f1=0.01."
        ),
    ] = None,
    lower_is_better: Annotated[
        Texts | None,
        typer.Option(help="Metric for which lower is better, in addition to rmse, loss, latency..."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="YAML file with the rules; options override it.")
    ] = None,
    alias: Annotated[str | None, typer.Option(help="Alias to move; default: champion.")] = None,
    stage: Annotated[str | None, typer.Option(help="Also set this stage: Production, Staging, none.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for another promotion.")] = 300,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the rules, but change nothing.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Promote a model version if it passes every rule; archive the version it replaces.

    Exit 0: promoted (or it would be, with --dry-run). Exit 1: refused. Exit 2: wrong input.
    A missing or NaN metric refuses the version. Concurrent promotions of a model wait for each other.

        mlflowops promote iris-classifier --min test_accuracy=0.9 --improve test_accuracy=0.01
    """
    rules = policies.with_options(
        policies.from_file(policy) if policy else Policy(),
        minimum=min_ or [],
        maximum=max_ or [],
        improve=improve or [],
        lower=lower_is_better or [],
        alias=alias,
        stage=stage,
    ).validated()
    # No request may outlast the lock: mlflow's own timeout is four minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    client = tracking.client()
    with tracking.server_errors(f"model {model}"):
        report = run(client, model, version, rules, wait, dry_run)
    _show(report, output)
    if report["decision"] == "refused":
        raise typer.Exit(REFUSED)


def run(
    client: "MlflowClient", model: str, version: str | None, policy: Policy, wait: float, dry_run: bool
) -> dict[str, Any]:
    """Evaluate a version and, unless it is a dry run, promote it; return the report."""
    from mlflowops.promotion.lock import exclusive
    from mlflowops.promotion.model_versions import candidate, set_champion

    found = candidate(client, model, version)
    if dry_run:
        return _decide(client, found, policy)[0]
    with exclusive(client, model, wait) as lease:
        found = candidate(client, model, str(found.version))  # another promotion may have tagged it meanwhile
        report, previous = _decide(client, found, policy)
        if report["decision"] == "refused":
            return report
        staged = set_champion(client, policy, found, previous, lease)
    return report | {
        "decision": "promoted",
        "stage": policy.stage if staged else None,
        "archived": previous,
    }


def _decide(client: "MlflowClient", found: Any, policy: Policy) -> tuple[dict[str, Any], str | None]:
    """Return the report as it would be, and the version to archive."""
    from mlflowops.promotion.model_versions import PREVIOUS, champion, metrics

    current = champion(client, found.name, policy.alias)
    is_champion = current is not None and str(current.version) == str(found.version)
    champion_metrics = metrics(client, current) if current is not None and not is_champion else None
    checks = evaluate(policy, metrics(client, found), champion_metrics)
    # A crash may have come between the alias and the archiving: then the tag names the version to archive.
    previous = found.tags.get(PREVIOUS) if is_champion else (str(current.version) if current else None)
    report = {
        "model": found.name,
        "version": str(found.version),
        "run_id": found.run_id,
        "alias": policy.alias,
        "champion_before": str(current.version) if current else None,
        "checks": [asdict(check) for check in checks],
        "decision": "would be promoted" if all(check.passed for check in checks) else "refused",
        "stage": None,
        "archived": None,
    }
    return report, previous


def _show(report: dict[str, Any], output: Output) -> None:
    if output is Output.json:
        console.as_json(report)
        return
    rows = [
        [
            Text("passed", "green") if check["passed"] else Text("failed", "red"),
            check["metric"],
            check["rule"],
            "" if check["value"] is None else f"{check['value']:g}",
            check["detail"],
        ]
        for check in report["checks"]
    ]
    console.table(["", "metric", "must be", "is", ""], rows)
    colour = "red" if report["decision"] == "refused" else "green"
    replaces = f", replaces version {report['archived']}" if report["archived"] else ""
    line = (
        f"{report['model']} version {report['version']}: {report['decision']} ({report['alias']}{replaces})"
    )
    console.out.print(line, style=colour, highlight=False)
