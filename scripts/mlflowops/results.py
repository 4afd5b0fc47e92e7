"""Reads training_results.json, the metrics and params of a training.

    {
      "cv_results":   {"f1": 0.81, "f1_folds": [0.80, 0.82]},
      "test_results": {"metrics": {"f1": 0.79}, "confusion_matrix": [[50, 4], [6, 40]]},
      "params":       {"n_estimators": 200}
    }

Every part may be absent, but not all metrics. A list of numbers is a metric with one step per entry.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflowops.errors import OpsError
from mlflowops.metric import is_number

Matrix = list[list[float]]


@dataclass(frozen=True)
class Results:
    """The content of the file: for each metric its values in order of steps."""

    metrics: dict[str, list[float]]
    params: dict[str, str] = field(default_factory=dict)
    confusion_matrix: Matrix | None = None


def read(path: Path) -> Results:
    """Read and check the file.

    Raises:
        OpsError: The file has a mistake; the message names the place.
    """
    data = _mapping(path, "the file", _json(path))
    cross = _mapping(path, "cv_results", data.get("cv_results", {}))
    test = _mapping(path, "test_results", data.get("test_results", {}))
    holdout = _mapping(path, "test_results.metrics", test.get("metrics", {}))
    metrics = _metrics(path, "cv_results", "cv_", cross) | _metrics(
        path, "test_results.metrics", "test_", holdout
    )
    if not metrics:
        wrong = "holds no metric under cv_results or test_results.metrics"
        raise OpsError(str(path), wrong, 'write them as {"test_results": {"metrics": {"f1": 0.8}}}')
    params = _mapping(path, "params", data.get("params", {}))
    matrix = _matrix(path, test.get("confusion_matrix"))
    return Results(metrics, {key: str(value) for key, value in params.items()}, matrix)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OpsError(str(path), "no such file", "run the training first or give another PATH") from error
    except OSError as error:
        raise OpsError(str(path), error.strerror or "unreadable", "give a readable file") from error
    except ValueError as error:
        raise OpsError(str(path), f"not JSON ({error})", "write it with json.dump") from error


def _mapping(path: Path, place: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OpsError(f"{path}: {place}", f"is a {type(value).__name__}", "write a JSON object there")
    return value


def _metrics(path: Path, place: str, prefix: str, values: dict[str, Any]) -> dict[str, list[float]]:
    found = {}
    for name, value in values.items():
        steps = value if isinstance(value, list) else [value]
        wrong = [each for each in steps if not is_number(each)]
        if wrong or not steps:
            shown = json.dumps(wrong[0] if wrong else value)
            instead = "write a finite number or a list of them, or move it to params"
            raise OpsError(f"{path}: {place}.{name}", f"{shown} is not a number", instead)
        found[f"{prefix}{name}"] = [float(each) for each in steps]
    return found


def _matrix(path: Path, value: Any) -> Matrix | None:
    if value is None:
        return None
    square = isinstance(value, list) and all(
        isinstance(row, list) and len(row) == len(value) for row in value
    )
    if not square or not value or not all(is_number(cell) for row in value for cell in row):
        place = f"{path}: test_results.confusion_matrix"
        raise OpsError(place, "not a square of numbers", "write [[tn, fp], [fn, tp]], as scikit-learn does")
    return [[float(cell) for cell in row] for row in value]
