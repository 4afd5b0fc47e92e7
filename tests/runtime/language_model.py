"""A language model server on loopback (OpenAI's protocol), which says a word when it is told to."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LanguageModel:
    """Every answer streams what is put into `words`; None ends it."""

    def __init__(self) -> None:
        self.forget()
        model = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                model.key = self.headers["Authorization"].removeprefix("Bearer ")
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                try:
                    for event in model.events():
                        self.wfile.write(f"data: {event}\n\n".encode())
                except OSError:
                    model.client_left.set()

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def forget(self) -> None:
        """Start afresh."""
        self.words: queue.Queue[str | None] = queue.Queue()
        self.client_left = threading.Event()
        self.key = ""  # what the last question showed

    def events(self) -> Any:
        """The words of one answer as they come."""
        while (word := self.words.get(timeout=60)) is not None:
            choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            yield json.dumps({**chunk, "choices": [choice]})
        yield "[DONE]"

    def close(self) -> None:
        """Stop it."""
        self.http.shutdown()
        self.http.server_close()
