"""Reading runs: one by its id, and a page of a search."""

import json
from typing import Any

from mlflow_kubernetes.server.fast.json_text import write_page
from mlflow_kubernetes.server.fast.run_text import COLUMNS, has_inputs_or_outputs, run_id, write_run
from mlflow_kubernetes.server.fast.search_rows import search_rows
from mlflow_kubernetes.server.fast.statements import fetch, read_engine
from mlflow_kubernetes.server.fast.unusual import Unusual

GET_RUN = f"SELECT {COLUMNS} FROM runs r WHERE r.run_uuid = %s"  # noqa: S608 - constants


def get_run(store: Any, request: Any) -> str:
    """Answer `runs/get`.

    Args:
        store: MLflow's SqlAlchemyStore.
        request: The GetRun message, which MLflow has checked.

    Returns:
        The JSON text of the answer.

    Raises:
        Unusual: There is no such run, or it has what MLflow's own code has to write.
    """
    rows = fetch(read_engine(store), GET_RUN, [request.run_id or request.run_uuid], prepare=True)
    if not rows:
        raise Unusual("not found")
    (row,) = rows
    more = _inputs_and_outputs(store, [row], model_inputs=True)
    return '{\n  "run": ' + write_run(row, more[run_id(row)], "  ") + "\n}"


def search_runs(store: Any, request: Any, experiment_ids: list[str]) -> str:
    """Answer `runs/search`.

    Args:
        store: MLflow's SqlAlchemyStore.
        request: The SearchRuns message, which MLflow has checked.
        experiment_ids: Those of the request that the account may read.

    Returns:
        The JSON text of the answer.

    Raises:
        Unusual: The filter or the order is not among the usual ones.
    """
    store._validate_max_results_param(request.max_results, allow_null=True)
    rows, token = search_rows(read_engine(store), request, experiment_ids)
    more = _inputs_and_outputs(store, rows)
    return write_page("runs", [write_run(row, more[run_id(row)], "    ") for row in rows], token)


def _inputs_and_outputs(store: Any, rows: list[Any], model_inputs: bool = False) -> dict[str, Any]:
    """Return `inputs` and `outputs` of each run, by MLflow's own code where there are any."""
    from mlflow.entities import RunInputs, RunOutputs
    from mlflow.utils.proto_json_utils import message_to_json

    found: dict[str, Any] = {run_id(row): {"inputs": {}, "outputs": {}} for row in rows}
    some = [run_id(row) for row in rows if has_inputs_or_outputs(row)]
    if not some:
        return found
    with store.ManagedSessionMaker() as session:
        datasets = dict(zip(some, store._get_run_inputs(session, some), strict=True))
        outputs = store._get_model_outputs_bulk(run_ids=some, session=session)
        for each in some:
            models = store._get_model_inputs(each, session) if model_inputs else []
            messages = {
                "inputs": RunInputs(dataset_inputs=datasets[each], model_inputs=models).to_proto(),
                "outputs": RunOutputs(outputs[each]).to_proto(),
            }
            for name, message in messages.items():
                found[each][name] = json.loads(message_to_json(message, pretty=False))
    return found
