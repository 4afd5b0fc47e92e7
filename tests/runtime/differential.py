"""Random calls of MLflow's tracking API, good and bad ones, sent to two servers and compared."""

import difflib
import json
import random
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

API = "/api/2.0/mlflow"
KEYS = ["loss", "acc", "a/b", "ключ", "k" * 250]
BAD_KEYS = ["", "k" * 251, "a\x00b", "no:good", "../up", "\ud800", None, 7]
VALUES = [0, 1, -1.5, 1e-320, 1e300, 0.1 + 0.2, 123456789.123456789]
BAD_VALUES = ["NaN", "Infinity", "-Infinity", "x", None, [1], True, "1.5", 2**70]
TIMES = [0, 1, 1700000000000, 1700000000001, -5]
BAD_TIMES = [2**63, "12", 1.5, None, "x"]
TEXTS = ["v", "", "ü€𝄞", 'quo"te\\', "x" * 40, "line\nbreak", "</script>", "tab\t\x7f\u2028"]
BAD_TEXTS = ["x" * 8001, "a\x00b", "\ud800", None, 7, {"a": 1}]
STATUSES = ["RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED"]
FILTERS = [
    "",
    "metrics.loss > 0.5",
    "metrics.loss != 0",
    "metrics.`a/b` <= 1",
    "metrics.acc = 1",
    "params.loss = 'v'",
    "params.acc != 'v'",
    "params.acc LIKE 'x%'",
    "params.acc ILIKE 'V%'",
    "tags.loss = 'v'",
    "tags.acc LIKE '%e%'",
    "tags.`mlflow.runName` = 'one'",
    "attributes.status = 'RUNNING'",
    "attributes.status != 'RUNNING' AND metrics.loss >= 0",
    "attributes.run_name ILIKE 'ONE%'",
    "run_name = 'one'",
    "attributes.start_time > 5",
    "attributes.end_time >= 0",
    "attributes.user_id = 'u'",
    "attributes.artifact_uri LIKE '%artifacts'",
    "attributes.run_id IN ('x', 'y')",
    "params.loss IS NULL",
    "tags.loss IS NOT NULL",
    "dataset.name = 'd'",
]
BAD_FILTERS = [
    "metrics.loss",
    "params.loss > 'x",
    "what = 1",
    "metrics.loss = 'x'",
    "attributes.nope = 'x'",
    7,
]
ORDERS = [
    [],
    ["attributes.start_time ASC"],
    ["start_time DESC"],
    ["metrics.loss ASC"],
    ["metrics.loss DESC", "params.acc"],
    ["tags.loss DESC"],
    ["params.loss"],
    ["attributes.run_name DESC"],
    ["attributes.end_time"],
    ["attributes.status ASC", "metrics.acc DESC"],
]
BAD_ORDERS = [["nope"], ["metrics.loss UP"], ["metrics.loss", "metrics.loss DESC"], "x", [7]]

# Sent before the random calls. They create four runs.
POINT = {"key": "loss", "timestamp": 1, "step": 1}
CORNERS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/runs/create", {"experiment_id": "0", "start_time": 1, "run_name": "one"}),
    ("POST", "/runs/create", {"experiment_id": "00", "start_time": 2, "run_name": "one"}),
    ("POST", "/runs/create", {"experiment_id": "\u0660", "start_time": 3, "run_name": "one"}),
    ("POST", "/runs/log-batch", {"run_id": "<0>", "metrics": [POINT | {"value": v} for v in ("NaN", 0)]}),
    ("POST", "/runs/log-batch", {"run_id": "<1>", "metrics": [POINT | {"value": v} for v in (0, "NaN")]}),
    # These get names that are made up, by which random calls order runs: so they are renamed.
    ("POST", "/runs/create", {"experiment_id": "0", "start_time": 4, "run_name": ""}),
    ("POST", "/runs/create", {"experiment_id": "0", "start_time": 2**63, "run_name": "two"}),
    *(("POST", "/runs/update", {"run_id": run, "run_name": "one"}) for run in ("<2>", "<3>")),
    ("GET", "/runs/get", {"run_id": "<0>"}),
    ("GET", "/runs/get", {"run_id": "<1>"}),
    *(
        ("POST", "/runs/search", {"experiment_ids": ["0"], "filter": "status > 'x'", "order_by": order})
        for order in ([], ["nope"], ["metrics.a", "metrics.a DESC"], ["dataset.name"])
    ),
    *(
        ("POST", "/runs/search", {"experiment_ids": ["0"], "filter": text})
        for text in ("run_id IN ()", "run_id NOT IN ('<0>')", "params.`%s` LIKE '\\%'")
    ),
    *(
        ("POST", "/runs/search", {"experiment_ids": ["0"], "page_token": b64encode(token).decode()})
        for token in (b'{"offset": 1.5}', b'{"offset": 1e999}', b'{"offset": [1]}', b'{"offset": -1}', b"[]")
    ),
    *(
        ("POST", "/runs/search", {"experiment_ids": ["0"], "page_token": b64encode(token).decode()})
        for token in (b'{"offset": 1, "after": [1, "x"]}', b'{"offset": 1, "after": 7, "search": 3162193661}')
    ),
]


@dataclass
class Twin:
    """One server of the two, and what it calls the things that both have."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    ids: list[str] = field(default_factory=list)
    token: str = ""  # of its last page that was not the last one

    def send(self, method: str, path: str, body: Any) -> requests.Response:
        """Send a call whose `<n>` stands for the n-th thing."""
        text = json.dumps(body)
        for number, name in enumerate(self.ids):
            text = text.replace(f"<{number}>", name)
        text = text.replace("<token>", self.token)
        if method == "GET":
            query = {key: value for key, value in json.loads(text).items() if value is not None}
            return self.session.get(
                f"{self.url}{API}{path}?{urlencode(query, errors='surrogatepass')}", timeout=120
            )
        headers = {"Content-Type": "application/json"}
        return self.session.request(method, self.url + API + path, data=text, headers=headers, timeout=120)

    def normal(self, text: str) -> str:
        """Write `<n>` for its names of the things."""
        for number, name in enumerate(self.ids):
            text = text.replace(name, f"<{number}>")
        text = re.sub('"next_page_token": "[^"]+"', '"next_page_token": "<token>"', text)
        text = re.sub("[0-9a-f]{32}", "<new>", text)  # of a run that an error has undone
        return re.sub(r"(['\"])[a-z]+-[a-z]+-\d{1,3}\1", '"<name>"', text)  # made up by MLflow

    def remember(self, path: str, answer: requests.Response) -> bool:
        """Keep the id or the token of an answer; return whether it is of a new run."""
        if not answer.ok or path not in ("/runs/create", "/runs/search"):
            return False
        found = answer.json()
        if path == "/runs/create":
            self.ids.append(found["run"]["info"]["run_id"])
        if token := found.get("next_page_token"):
            # Without the run before the page, since runs change; test_search.py has whole tokens.
            offset = {"offset": json.loads(b64decode(token))["offset"]}
            self.token = b64encode(json.dumps(offset).encode()).decode()
        return path == "/runs/create"


class Calls:
    """The calls of one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.runs: list[int] = []
        self.clock = 1700000000000

    def pick(self, good: list[Any], bad: list[Any], share: float = 0.04) -> Any:
        """Return a good value, seldom a bad one."""
        return self.chance.choice(bad if self.chance.random() < share else good)

    def run(self) -> Any:
        """Return a run: mostly one that is there."""
        if not self.runs or self.chance.random() < 0.03:
            return self.chance.choice(["0" * 32, "nope", "", None, 5])
        return f"<{self.chance.choice(self.runs)}>"

    def __iter__(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield method, path and body of each call, without end."""
        makers: list[Callable[[], tuple[str, str, dict[str, Any]]]] = [
            *[self.create] * 2,
            *[self.metric] * 4,
            *[self.batch] * 5,
            *[self.param] * 2,
            *[self.tag] * 3,
            *[self.update] * 2,
            *[self.get] * 4,
            *[self.search] * 5,
            *[self.history] * 2,
            *[self.next_page] * 2,
            self.nested,
            self.remove,
            self.remove_tag,
            self.inputs,
        ]
        yield from CORNERS
        while True:
            yield self.chance.choice(makers)()

    def create(self) -> tuple[str, str, dict[str, Any]]:
        """Create a run."""
        body: dict[str, Any] = {"experiment_id": self.pick(["0"], ["999", "x", "", None, 0, 2**40])}
        # No two runs begin at one time: MLflow orders those by their ids, which are random.
        self.clock += self.chance.choice([1, 1000])
        body["start_time"] = self.pick([self.clock], ["x"])
        body["run_name"] = self.pick(["one", "two", "три"], ["x" * 251, 7])
        if self.chance.random() < 0.5:
            body["user_id"] = self.pick(["u", ""], [None, 5])
        if self.chance.random() < 0.5:
            body["tags"] = [self.pair(TEXTS) for _ in range(self.chance.randrange(4))]
        return "POST", "/runs/create", body

    def pair(self, values: list[Any]) -> dict[str, Any]:
        """Return a key and a value."""
        keys = [*KEYS, "mlflow.runName"] if self.chance.random() < 0.05 else KEYS
        return {"key": self.pick(keys, BAD_KEYS), "value": self.pick(values, BAD_TEXTS)}

    def point(self) -> dict[str, Any]:
        """Return a metric."""
        found = {
            "key": self.pick(KEYS, BAD_KEYS),
            "value": self.pick(VALUES, BAD_VALUES, 0.1),
            "timestamp": self.pick(TIMES, BAD_TIMES),
            "step": self.pick([0, 1, 2, -1], [2**63, "3", None, 1.5]),
        }
        if self.chance.random() < 0.02:
            found |= {"dataset_name": "d", "dataset_digest": "1"}
        return found

    def metric(self) -> tuple[str, str, dict[str, Any]]:
        """Log a metric."""
        return "POST", "/runs/log-metric", {"run_id": self.run(), **self.point()}

    def param(self) -> tuple[str, str, dict[str, Any]]:
        """Log a param: often one that has another value."""
        return "POST", "/runs/log-parameter", {"run_id": self.run(), **self.pair(TEXTS)}

    def tag(self) -> tuple[str, str, dict[str, Any]]:
        """Set a tag."""
        return "POST", "/runs/set-tag", {"run_id": self.run(), **self.pair(TEXTS)}

    def remove_tag(self) -> tuple[str, str, dict[str, Any]]:
        """Remove a tag."""
        return "POST", "/runs/delete-tag", {"run_id": self.run(), "key": self.pick(KEYS, BAD_KEYS)}

    def batch(self) -> tuple[str, str, dict[str, Any]]:
        """Log a batch."""
        few = self.chance.randrange
        body: dict[str, Any] = {"run_id": self.run()}
        body["metrics"] = [self.point() for _ in range(few(6))]
        body["params"] = [self.pair(TEXTS) for _ in range(few(3))] if self.chance.random() < 0.4 else []
        body["tags"] = [self.pair(TEXTS) for _ in range(few(4))]
        return "POST", "/runs/log-batch", body

    def update(self) -> tuple[str, str, dict[str, Any]]:
        """Change a run's state or name."""
        body = {"run_id": self.run(), "status": self.pick(STATUSES, ["NOPE", 3, None, ""])}
        if self.chance.random() < 0.5:
            body["end_time"] = self.pick(TIMES, BAD_TIMES)
        if self.chance.random() < 0.2:
            body["run_name"] = self.pick(["one", "new"], ["", 7])
        return "POST", "/runs/update", body

    def get(self) -> tuple[str, str, dict[str, Any]]:
        """Get a run."""
        return "GET", "/runs/get", {self.pick(["run_id"], ["run_uuid", "both"]): self.run()}

    def history(self) -> tuple[str, str, dict[str, Any]]:
        """Get a metric's history."""
        return "GET", "/metrics/get-history", {"run_id": self.run(), "metric_key": self.pick(KEYS, BAD_KEYS)}

    def search(self) -> tuple[str, str, dict[str, Any]]:
        """Search runs."""
        body: dict[str, Any] = {"experiment_ids": self.pick([["0"], ["0", "999"]], [[], ["x"], [0], None])}
        body["filter"] = self.pick(FILTERS, BAD_FILTERS)
        body["order_by"] = self.pick(ORDERS, BAD_ORDERS)
        body["max_results"] = self.pick([1, 3, 100], [0, -1, 50001, "5", 1.5])
        if self.chance.random() < 0.3:
            body["run_view_type"] = self.pick(["ACTIVE_ONLY", "DELETED_ONLY", "ALL"], ["X", 9])
        if self.chance.random() < 0.2:
            body["page_token"] = self.pick(["eyJvZmZzZXQiOiAxfQ=="], ["x", "", 5])
        return "POST", "/runs/search", body

    def next_page(self) -> tuple[str, str, dict[str, Any]]:
        """Search from the last token on, with the order of its search or another; runs have changed since."""
        body = {"experiment_ids": ["0"], "max_results": 2, "page_token": "<token>"}
        return "POST", "/runs/search", body | self.chance.choice([{}, {"order_by": ["start_time ASC"]}])

    def nested(self) -> tuple[str, str, dict[str, Any]]:
        """Create a run below another, or search those below it."""
        parent, child = self.run(), self.create()
        if self.chance.random() < 0.3:
            query = f"tags.`mlflow.parentRunId` = '{parent}'"
            return "POST", "/runs/search", {"experiment_ids": ["0"], "filter": query, "max_results": 2}
        child[2]["tags"] = [{"key": "mlflow.parentRunId", "value": parent}]
        return child

    def remove(self) -> tuple[str, str, dict[str, Any]]:
        """Delete or restore a run."""
        return "POST", self.chance.choice(["/runs/delete", "/runs/restore"]), {"run_id": self.run()}

    def inputs(self) -> tuple[str, str, dict[str, Any]]:
        """Log a dataset that a run used."""
        dataset = {"name": "d", "digest": self.chance.choice("12"), "source_type": "t", "source": "s"}
        tags = [{"key": "mlflow.data.context", "value": "train"}]
        return (
            "POST",
            "/runs/log-inputs",
            {
                "run_id": self.run(),
                "datasets": [{"dataset": dataset, "tags": tags}],
            },
        )


def differences(plain: Twin, fast: Twin, seed: int, steps: int) -> Iterator[str]:
    """Send the same calls to both, and yield what differs."""
    calls = Calls(seed)
    for number, (method, path, body) in zip(range(steps), calls, strict=False):
        theirs, ours = plain.send(method, path, body), fast.send(method, path, body)
        new = [twin.remember(path, answer) for twin, answer in ((plain, theirs), (fast, ours))]
        if all(new):
            calls.runs.append(len(plain.ids) - 1)
        where = f"{number}: {method} {path} {json.dumps(body)[:300]}"
        if theirs.status_code != ours.status_code:
            yield f"{where}: {theirs.status_code} {theirs.text[:300]} {ours.status_code} {ours.text[:300]}"
        elif canonical(plain.normal(theirs.text)) != canonical(fast.normal(ours.text)):
            texts = (pretty(plain.normal(theirs.text)), pretty(fast.normal(ours.text)))
            yield "\n".join([where, *difflib.unified_diff(*texts, n=0, lineterm="")])[:3000]
        elif ours.ok and ours.text != json.dumps(ours.json(), indent=2):
            yield f"{where}: other spaces: {ours.text[:300]}"
        if theirs.headers["Content-Type"] != ours.headers["Content-Type"]:
            yield f"{where}: {theirs.headers['Content-Type']} {ours.headers['Content-Type']}"


def canonical(text: str) -> Any:
    """Return an answer without the order of what a run has, which MLflow leaves to the database."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            parts = {key: ordered(each) for key, each in value.items()}
            for key in {"metrics", "params", "tags", "dataset_inputs"} & parts.keys():
                parts[key] = sorted(parts[key], key=json.dumps)
            return list(parts.items())
        return [ordered(each) for each in value] if isinstance(value, list) else value

    try:
        return ordered(json.loads(text))
    except ValueError:
        return text


def pretty(text: str) -> list[str]:
    """Return the lines of an answer, for a message."""
    return json.dumps(canonical(text), indent=1).splitlines()
