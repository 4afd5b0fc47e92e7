"""A transport that closes without losing the last answer."""

from contextlib import suppress
from typing import Any


class GracefulTransport:
    """A transport whose `close` sends the end of the stream and waits for the client's.

    A socket that is closed with unread bytes resets the connection, and the client may lose the answer.
    """

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.closing = False
        self.ended = False  # the client sends nothing more

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def is_closing(self) -> bool:
        """Return whether the connection is being closed."""
        return self.closing or self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send data, unless the connection is being closed."""
        if not self.closing:
            self.transport.write(data)

    def close(self) -> None:
        """Close after what was written, and after the client's end of the stream."""
        if self.is_closing():
            return
        self.closing = True
        if self.ended:
            self.transport.close()
            return
        with suppress(RuntimeError):  # reading was not paused
            self.transport.resume_reading()
        try:
            self.transport.write_eof()
        except (OSError, RuntimeError):
            self.transport.abort()
