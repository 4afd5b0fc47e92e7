"""Computes business metrics from a confusion matrix.

Each metric is a sum over the four cells, tn, fp, fn and tp: how many cases times what one case is worth.

    biz_saved_revenue_usd: {tp: 690}          # 30 % of 2300 USD lifetime value is kept per detected churner
    biz_net_usd: {tp: 690, fp: -50, fn: -2300}
"""

from pathlib import Path
from typing import Any

import yaml

from mlflowops.errors import OpsError
from mlflowops.metric import is_number
from mlflowops.results import Matrix

CELLS = ("tn", "fp", "fn", "tp")
Worth = dict[str, float]


def from_options(benefits: list[str], costs: list[str]) -> dict[str, Worth]:
    """Turn `--benefit tp=690 --cost fp=50` into the metrics biz_benefit, biz_cost and biz_net."""
    if not benefits and not costs:
        return {}
    benefit = dict(_cell("--benefit", text) for text in benefits)
    cost = dict(_cell("--cost", text) for text in costs)
    net = {cell: benefit.get(cell, 0) - cost.get(cell, 0) for cell in {**benefit, **cost}}
    return {"biz_benefit": benefit, "biz_cost": cost, "biz_net": net}


def from_file(path: Path) -> dict[str, Worth]:
    """Read the definitions of metrics from YAML: `name: {cell: worth of one case}`."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise OpsError(f"--business {path}", f"unreadable ({error})", "give a YAML file") from error
    if not isinstance(data, dict) or not data:
        raise OpsError(
            f"--business {path}", "not a mapping", "write lines like `biz_net: {tp: 690, fp: -50}`"
        )
    return {str(name): _worth(f"--business {path}: {name}", cells) for name, cells in data.items()}


def metrics(path: Path, matrix: Matrix | None, wanted: dict[str, Worth]) -> dict[str, list[float]]:
    """Compute metrics from the confusion matrix of the results file."""
    if not wanted:
        return {}
    if matrix is None or len(matrix) != 2:
        wrong = "absent" if matrix is None else f"has {len(matrix)} classes"
        instead = "business metrics need two classes: [[tn, fp], [fn, tp]]"
        raise OpsError(f"{path}: test_results.confusion_matrix", wrong, instead)
    cases = dict(zip(CELLS, [*matrix[0], *matrix[1]], strict=True))
    return {name: [sum(cases[cell] * each for cell, each in worth.items())] for name, worth in wanted.items()}


def _cell(option: str, text: str) -> tuple[str, float]:
    cell, _, worth = text.partition("=")
    try:
        return _known(f"{option} {text}", cell), float(worth)
    except ValueError as error:
        raise OpsError(f"{option} {text}", "not cell=number", f"write for example {option} tp=690") from error


def _worth(place: str, cells: Any) -> Worth:
    if not isinstance(cells, dict) or not cells or not all(is_number(each) for each in cells.values()):
        raise OpsError(place, "not a mapping of cells to numbers", "write for example {tp: 690, fp: -50}")
    return {_known(place, str(cell)): float(each) for cell, each in cells.items()}


def _known(place: str, cell: str) -> str:
    if cell not in CELLS:
        raise OpsError(place, f"no cell {cell!r}", f"use {', '.join(CELLS)}")
    return cell
