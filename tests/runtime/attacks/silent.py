"""An S3 that accepts connections and never answers."""

import socket
import threading


class SilentStore:
    """Listens until it is closed."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(sock)

    def connections(self) -> int:
        """How many clients came."""
        return len(self.open)

    def environment(self) -> dict[str, str]:
        """The variables of a server whose artifacts are here; its own client waits for minutes."""
        return {
            "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/artifacts",
            "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{self.listener.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }

    def close(self) -> None:
        """Stop listening and end all connections."""
        self.listener.close()
        for sock in self.open:
            sock.close()
