"""Runs an image from its archive the way a restricted pod does: not root, read-only, few writable folders.

With a container engine by that engine; else, as root, in a chroot over the image's layers, in namespaces of
its own. The network is the host's either way.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from images.archive import Archive
from testbed import container_engine
from testbed.images import Image

Result = TypeVar("Result")

ENTER = """
set -eu
root=$1 layers=$2 tmpfs=$3 binds=$4 user=$5; shift 5
/bin/mkdir -p "$root"
/bin/mount -t overlay overlay -o "lowerdir=$layers" "$root"
for folder in $tmpfs; do /bin/mount -t tmpfs -o mode=1777 tmpfs "$root$folder"; done
for bind in $binds; do /bin/mount --bind "${bind%%:*}" "$root${bind#*:}"; done
/bin/mount -t proc proc "$root/proc"
/bin/mount --rbind /dev "$root/dev"
exec /usr/sbin/chroot --userspec="$user" "$root" "$@"
"""


@dataclass(frozen=True)
class Pod:
    """What to run. `command` and `args` mean what they mean in a pod."""

    image: Image
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    writable: Sequence[str] = ("/tmp",)
    volumes: Mapping[Path, str] = field(default_factory=dict)

    @property
    def mounts(self) -> list[str]:
        """The volumes as outside:inside."""
        return [f"{outside}:{inside}" for outside, inside in self.volumes.items()]


class Container:
    """A running pod."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], log: Path, remove: Sequence[str] = ()
    ) -> None:
        self._log = log
        self._remove = remove
        with log.open("w") as sink:
            self._process = subprocess.Popen(
                command, env=dict(env), stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
            )

    @property
    def log(self) -> str:
        """What it printed so far."""
        return self._log.read_text(errors="replace")

    def wait(self, seconds: float = 300) -> int:
        """Wait for its end and return the exit code."""
        return self._process.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process; an engine's client passes it on."""
        os.kill(self._process.pid if container_engine.running() else self.first(), number)

    def first(self) -> int:
        """The first process of its namespace, as seen outside; IndexError or OSError if it has ended."""
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def until(self, answers: Callable[[], Result], seconds: float = 300) -> Result:
        """Call `answers` until it raises no error, and return what it returns."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return answers()
            except Exception as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(self.log) from error
                time.sleep(0.2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._remove:
            subprocess.run(self._remove, check=False, capture_output=True)
        try:
            # The namespace ends with it, and unshare then. By itself it would outlive unshare.
            os.kill(self.first(), signal.SIGKILL)
        except (IndexError, OSError):  # there is an engine, or it has ended
            self._process.kill()
        self._process.wait()


class Runner:
    """Starts pods; unpacked layers and logs are kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def start(self, pod: Pod) -> Container:
        """Start a pod."""
        self._count += 1
        log = self._folder / f"{pod.image.name}-{self._count}.log"
        found = container_engine.running()
        if found:
            subprocess.run([found, "load", "--input", pod.image.archive], check=True, capture_output=True)
            name = f"mlflowops-test-{os.getpid()}-{self._count}"
            remove = [found, "rm", "--force", name]
            return Container(_engine(found, name, pod), {**os.environ, **pod.env}, log, remove)
        archive = Archive(pod.image)
        own = dict(entry.split("=", 1) for entry in archive.config["Env"])
        return Container(self._chroot(archive, pod), {**own, **pod.env}, log)

    def run(self, image: Image, *command: str) -> str:
        """Run a command to its end and return what it printed."""
        with self.start(Pod(image, command=command)) as container:
            assert container.wait() == 0, container.log
            return container.log

    def _chroot(self, archive: Archive, pod: Pod) -> list[str]:
        config = archive.config
        words = [*pod.command, *pod.args]
        if not pod.command:
            words = [*(config["Entrypoint"] or []), *(words or config["Cmd"] or [])]
        empty = self._folder / "empty"  # overlay wants at least two layers
        empty.mkdir(exist_ok=True)
        layers = [*reversed(archive.unpack(self._folder / "layers")), empty]
        unshare = [str(shutil.which("unshare")), "--mount", "--pid", "--fork"]
        places = [str(self._folder / "root"), ":".join(map(str, layers))]
        mounts = [" ".join(pod.writable), " ".join(pod.mounts)]
        return [*unshare, "/bin/sh", "-c", ENTER, "sh", *places, *mounts, config["User"], *words]


def _engine(engine_name: str, name: str, pod: Pod) -> list[str]:
    words = [engine_name, "run", "--rm", f"--name={name}", "--read-only", "--network=host", "--cap-drop=ALL"]
    words += [f"--tmpfs={folder}:mode=1777" for folder in pod.writable]
    words += [f"--volume={mount}" for mount in pod.mounts]
    words += [f"--env={variable}" for variable in pod.env]  # the values come from the client's environment
    words += [f"--entrypoint={word}" for word in pod.command[:1]]
    return [*words, pod.image.ref, *pod.command[1:], *pod.args]
