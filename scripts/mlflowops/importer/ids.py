"""Maps the ids of the source to those of the server."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Run

TAG_PREFIX = "mlflowops.import."
SOURCE_TAG = f"{TAG_PREFIX}source"
STATE_TAG = f"{TAG_PREFIX}state"
DIFFERS = "differs"  # the state of what the comparison found wrong: the next import writes it again

_ID = re.compile(r"m-[0-9a-f]{32}|[0-9a-f]{32}")


@dataclass
class Ids:
    """New ids by old ids. A server gives its own ids, so references to runs and models must be translated."""

    experiments: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    def translate(self, text: str) -> str:
        """Replace every id of a run or logged model in the text."""
        return _ID.sub(lambda found: self.models.get(found[0]) or self.runs.get(found[0]) or found[0], text)

    def tags(self, tags: dict[str, str]) -> dict[str, str]:
        """Return the tags to write: MLflow's own refer to other runs, those of people stay as they are."""
        return {
            key: self.translate(value) if key.startswith("mlflow.") else value
            for key, value in tags.items()
            if not key.startswith(TAG_PREFIX)
        }


def fingerprint(run: "Run") -> str:
    """Return a hash of a run of the source, to detect changes."""
    info, data = run.info, run.data
    facts: list[Any] = [info.run_name, info.status, info.start_time, info.end_time]
    facts += [sorted(each.items()) for each in (data.params, data.tags, data.metrics)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
