"""Page tokens of a search: MLflow's offset, and the last run of the page before.

MLflow reads the offset of such a token and ignores the rest, so each reads the tokens of the other.
"""

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

Place = tuple[int, str]


@dataclass(frozen=True)
class PageToken:
    """Where a page begins.

    Attributes:
        offset: Number of runs before the page.
        after: Start time and id of the run before the page, None if only the offset is known.
    """

    offset: int
    after: Place | None

    @classmethod
    def read(cls, request: Any) -> "PageToken":
        """Read the token of a SearchRuns message. MLflow's own parser raises MLflow's errors.

        A place counts only for the search that it was written for.
        """
        from mlflow.utils.search_utils import SearchUtils

        token = request.page_token or None
        offset = SearchUtils.parse_start_offset_from_page_token(token)
        parts = json.loads(base64.b64decode(token)) if token else {}
        after = parts.get("after") if parts.get("search") == _search_number(request) else None
        match after:
            case [int(start_time), str(run_id)]:
                return cls(offset, (start_time, run_id))
        return cls(offset, None)

    def write(self, request: Any) -> str:
        """Return the text of this token for the search of a SearchRuns message."""
        from mlflow.utils.search_utils import SearchUtils

        if self.after is None:
            return str(SearchUtils.create_page_token(self.offset).decode())
        parts = {"offset": self.offset, "after": self.after, "search": _search_number(request)}
        return base64.b64encode(json.dumps(parts).encode()).decode()


def _search_number(request: Any) -> int:
    """A checksum of the filter, the order, the view and the experiments."""
    parts = [request.filter, list(request.order_by), request.run_view_type, sorted(request.experiment_ids)]
    return zlib.crc32(json.dumps(parts).encode())
