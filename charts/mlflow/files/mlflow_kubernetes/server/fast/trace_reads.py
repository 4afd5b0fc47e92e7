"""Traces without their spans: one by its id, and a page of a search."""

import json
from datetime import datetime, timedelta
from typing import Any

from mlflow_kubernetes.server.fast.selects import fetch_select
from mlflow_kubernetes.server.fast.statements import fetch, read_engine
from mlflow_kubernetes.server.fast.unusual import Unusual

FIELDS = (
    "request_id",
    "experiment_id",
    "timestamp_ms",
    "execution_time_ms",
    "status",
    "client_request_id",
    "request_preview",
    "response_preview",
    "trace_name",
    "session_id",
)
TOKENS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_input_tokens_above_1hr",
)
COSTS = ("input_cost", "output_cost", "total_cost")
# Token counts and costs come as one array each, which is NULL for most traces.
COLUMNS = (
    *(f"trace_info.{name}" for name in FIELDS),
    *(
        f"CASE WHEN COALESCE({columns}) IS NOT NULL THEN ARRAY[{columns}] END"
        for columns in (", ".join(f"trace_info.{name}" for name in names) for names in (TOKENS, COSTS))
    ),
    "(SELECT json_object_agg(t.key, t.value) FROM trace_tags t WHERE t.request_id = trace_info.request_id)",
    "(SELECT json_object_agg(m.key, m.value) FROM trace_request_metadata m"
    " WHERE m.request_id = trace_info.request_id)",
    "EXISTS (SELECT FROM assessments a WHERE a.trace_id = trace_info.request_id)",
)
GET = f"SELECT {', '.join(COLUMNS)} FROM trace_info WHERE request_id = %s"  # noqa: S608 - constants
NAME, SESSION = "mlflow.traceName", "mlflow.trace.session"
USAGE, COST = "mlflow.trace.tokenUsage", "mlflow.trace.cost"
STATES = {"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"}
# Characters of a value in an answer. The tables have more.
METADATA_VALUE, TAG_VALUE = 250, 4096
EPOCH = datetime(1970, 1, 1)  # without a zone, which isoformat() would add
YEAR_10000 = 253_402_300_800_000
LONGEST = 315_576_000_000_000


def get(store: Any, trace_id: str) -> str:
    """Answer `traces/<id>`. Arguments as SqlAlchemyStore.get_trace_info has them."""
    rows = fetch(read_engine(store), GET, [trace_id])
    if not rows:
        raise Unusual("not found")
    return _compact({"trace": {"trace_info": _fields(rows[0], _assessments(store, rows))}})


def search(
    store: Any,
    locations: list[str],
    filter_string: str | None,
    max_results: int,
    order_by: Any,
    page_token: str | None,
) -> str:
    """Answer `traces/search`. Arguments as SqlAlchemyStore.search_traces has them."""
    from mlflow.utils.search_utils import SearchTraceUtils
    from mlflow.utils.validation import _resolve_experiment_ids_and_locations

    experiments = [int(each) for each in _resolve_experiment_ids_and_locations(None, locations)]
    store._validate_max_results_param(max_results)
    page, terms = _select(store, experiments, filter_string, list(order_by))
    offset = SearchTraceUtils.parse_start_offset_from_page_token(page_token)
    page = page.offset(offset).limit(max_results)
    rows = fetch_select(read_engine(store), page.statement, [*COLUMNS, *terms])
    assessments = _assessments(store, rows)
    answer: dict[str, Any] = {"traces": [_fields(row, assessments) for row in rows]} if rows else {}
    if len(rows) == max_results:
        answer["next_page_token"] = SearchTraceUtils.create_page_token(offset + max_results).decode()
    return _compact(answer)


def _select(store: Any, experiments: list[int], filter_string: str | None, order_by: list[str]) -> Any:
    """Return MLflow's own query, and the terms of its order that have to be columns of it."""
    from mlflow.store.tracking import sqlalchemy_store as own

    with store.ManagedSessionMaker() as session:
        terms, order, joins = own._get_orderby_clauses_for_search_traces(order_by, session)
        query = store._trace_query(session)
        inside = own.SqlTraceInfo.experiment_id.in_(experiments)
        filters = own._get_filter_clauses_for_search_traces(
            filter_string, session, store._get_dialect(), query.filter(inside)
        )
        query = store._apply_trace_filter_clauses(query, *filters)
        for each in joins:
            query = query.outerjoin(each)
        return query.filter(inside).order_by(*order), terms


def _assessments(store: Any, rows: list[Any]) -> dict[str, list[Any]]:
    """Return the assessments of each trace, written by MLflow's own code where there are any."""
    from mlflow.store.tracking.dbmodels.models import SqlAssessments
    from mlflow.utils.proto_json_utils import message_to_json

    found: dict[str, list[Any]] = {}
    some = [row[0] for row in rows if row[14]]
    if some:
        with store.ManagedSessionMaker() as session:
            for each in session.query(SqlAssessments).filter(SqlAssessments.trace_id.in_(some)).all():
                message = each.to_mlflow_entity().to_proto()
                text = message_to_json(message, pretty=False, convert_int64_to_number=False)
                found.setdefault(each.trace_id, []).append(json.loads(text))
    return found


def _fields(row: Any, assessments: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the fields of a TraceInfoV3 message, in the order of their numbers."""
    trace, experiment, time, duration, state, client_id, request, response, *more = row[: len(COLUMNS)]
    name, session, tokens, costs, tags, metadata, _ = more
    if state not in STATES:
        raise Unusual("a state")
    location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": str(experiment)}}
    fields = {
        "trace_id": trace,
        "client_request_id": client_id,
        "trace_location": location,
        "request_time": _time(time),
        "execution_duration": None if duration is None else _duration(duration),
        "state": state,
        "trace_metadata": _cut(_metadata(metadata or {}, session, tokens, costs), METADATA_VALUE),
        "assessments": assessments.get(trace),
        "tags": _cut(_tags(tags or {}, name), TAG_VALUE),
        "request_preview": request,
        "response_preview": response,
    }
    return {key: value for key, value in fields.items() if value is not None and value != {}}


def _tags(tags: dict[str, Any], name: str | None) -> dict[str, Any]:
    tags.pop(NAME, None)
    return tags if name is None else {**tags, NAME: name}


def _metadata(entries: dict[str, Any], session: str | None, tokens: Any, costs: Any) -> dict[str, Any]:
    """Columns replace what has the same name in the table of metadata."""
    for key in (SESSION, USAGE, COST):
        entries.pop(key, None)
    if session is not None:
        entries[SESSION] = session
    for key, names, values in ((USAGE, TOKENS, tokens), (COST, COSTS, costs)):
        if values:
            given = zip(names, values, strict=True)
            entries[key] = json.dumps({name: value for name, value in given if value is not None})
    return entries


def _cut(entries: dict[str, Any], longest: int) -> dict[str, str]:
    return {key: str(value)[:longest] for key, value in entries.items()}


def _time(milliseconds: int) -> str:
    if not 0 <= milliseconds < YEAR_10000:
        raise Unusual("a time")
    seconds, rest = divmod(milliseconds, 1000)
    return (EPOCH + timedelta(seconds=seconds)).isoformat() + (f".{rest:03d}Z" if rest else "Z")


def _duration(milliseconds: int) -> str:
    if not 0 <= milliseconds < LONGEST:
        raise Unusual("a time")
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03d}s" if rest else f"{seconds}s"


def _compact(answer: dict[str, Any]) -> str:
    return json.dumps(answer, separators=(",", ":"))
