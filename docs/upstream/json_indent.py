"""Shows what `indent=2` costs: json's C encoder does not indent, so Python writes each value.

Usage: json_indent.py
"""

import json
import sys
import time

from mlflow.entities import Metric, Param, Run, RunData, RunInfo
from mlflow.protos.service_pb2 import SearchRuns
from mlflow.utils.proto_json_utils import message_to_json


def main() -> None:
    answer = SearchRuns.Response(runs=[run(number).to_proto() for number in range(100)])
    text = message_to_json(answer)
    value = json.loads(text)
    whole = cpu(lambda: message_to_json(answer))
    indented = cpu(lambda: json.dumps(value, indent=2))
    plain = cpu(lambda: json.dumps(value))
    print(f"message_to_json {whole:.1f} ms of CPU, of which json.dumps {indented:.1f} ms; {len(text)} bytes")
    print(f"json.dumps without indent {plain:.1f} ms; {len(json.dumps(value))} bytes")
    if not text.startswith("{\n  ") or indented < 2 * plain:
        sys.exit("not reproduced")


def run(number: int) -> Run:
    info = RunInfo(f"{number:032}", "0", "u", "FINISHED", 1, 2, "active", "artifacts", run_name="a run")
    metrics = [Metric(f"metric{key}", number / 7, 1700000000000, key) for key in range(10)]
    params = [Param(f"param{key}", "value") for key in range(10)]
    return Run(info, RunData(metrics, params))


def cpu(work, times: int = 10) -> float:
    """Milliseconds of CPU, the best of several."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found) * 1000


main()
