"""What the log knows of the request that is being answered; the gate sets it."""

import contextvars

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
# The address of its real peer, which MLflow's apps do not see.
client: contextvars.ContextVar[str] = contextvars.ContextVar("client", default="")
