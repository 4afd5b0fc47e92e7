"""What MLflow's apps say about the call that is being answered."""

import contextvars
from dataclasses import dataclass, field
from typing import Any

# A body is kept up to this size where the app does not say what it has parsed.
MAX_BODY = 64 << 10


@dataclass
class Call:
    """One call. A login sets `user` and `login` of `current`, in whichever thread it runs.

    Attributes:
        user: The account, after its login succeeded.
        login: How the account logged in, such as `basic`.
        denied: Whether a part of the call was denied although the answer's status says 200, as in GraphQL.
        body: The body as the app parsed it.
        kept: Parts of a body that the app does not hand on; None for other calls.
    """

    user: str = ""
    login: str = ""
    denied: bool = False
    body: Any = None
    kept: list[bytes] | None = field(default=None, repr=False)
    size: int = 0

    def keep(self, part: bytes) -> None:
        """Keep a part of the body, if it is wanted and small."""
        if self.kept is not None:
            self.size += len(part)
            self.kept.append(part)
            if self.size > MAX_BODY:
                self.kept = None


current: contextvars.ContextVar["Call | None"] = contextvars.ContextVar("audited_call", default=None)
