"""Nothing that helmfile does for an environment asks anything of the internet."""

import socket
import threading
from collections.abc import Iterator

import pytest
from sweep import sweep

from helmfile.helmfile import ENVIRONMENTS, Helmfile


class Proxy:
    """Counts who wants to go out. Programs that honour HTTPS_PROXY, as all in Go do, come here first."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        return {"HTTPS_PROXY": url, "HTTP_PROXY": url, "https_proxy": url, "http_proxy": url, "NO_PROXY": ""}

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(1000))


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("command", sweep(["template", "build", "list", "lint", "version"], 5))
def test_nobody_goes_out(helmfile: Helmfile, proxy: Proxy, environment: str, command: str) -> None:
    done = helmfile("--environment", environment, command, **proxy.env)
    assert done.returncode == 0, done.stderr
    assert proxy.asked == []


def test_the_proxy_notices(helmfile: Helmfile, proxy: Proxy) -> None:
    """Without the variable that the CLI sets, `helmfile version` looks for a newer one of itself."""
    helmfile("version", **proxy.env, HELMFILE_UPGRADE_NOTICE_DISABLED="")
    assert proxy.asked
