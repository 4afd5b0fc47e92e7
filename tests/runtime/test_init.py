"""init.sh as process 1 of a process namespace of its own, as it is in a container."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.network import wait_until
from runtime.server import FILES

INIT = ["/bin/sh", str(FILES / "init.sh")]
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@contextmanager
def container(*command: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A command as process 1, and the number that it has out here."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    options = ["--pid", "--mount-proc", "--fork", "--kill-child"]
    # A command that a script runs in the background ignores SIGINT, and so do all below it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    outside = subprocess.Popen(
        ["unshare", *user, *options, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    signal.signal(signal.SIGINT, before)
    children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children")
    try:
        wait_until("process 1", lambda: outside.poll() is not None or children.read_text().strip())
        yield outside, int(children.read_text().split()[0])
    finally:
        outside.kill()
        outside.communicate()


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    (mask,) = [line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines()
               if line.startswith("SigCgt")]  # fmt: skip
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_without_it_sigterm_is_lost() -> None:
    """Why it is there: the kernel drops the signal for a process 1 that has no handler yet."""
    with container(*SLEEP) as (outside, pid):
        time.sleep(0.5)
        os.kill(pid, signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            outside.wait(1)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT], ids=["Python's image", "PostgreSQL's"])
def test_it_passes_the_signal_on_at_any_moment(asked: signal.Signals) -> None:
    """From the first millisecond on: before the child is there, while it starts, and later."""
    chance = random.Random(7)
    for _ in range(30):
        with container(*INIT, *SLEEP) as (outside, pid):
            until = time.monotonic() + 60
            while not handles(pid, asked):
                assert outside.poll() is None and time.monotonic() < until
            time.sleep(chance.choice([0, 0.001, 0.03]) * chance.random())
            os.kill(pid, asked)
            assert outside.wait(60) == 128 + signal.SIGTERM


def test_the_command_ends_in_its_own_way() -> None:
    """A server that takes its time, and its exit code."""
    slow = "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(1), sys.exit(7)))"
    with container(*INIT, sys.executable, "-c", f"{slow}; print('ready', flush=True); time.sleep(60)") as (
        outside,
        pid,
    ):
        assert outside.stdout and outside.stdout.readline() == "ready\n"
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        assert outside.wait(10) == 7
        assert time.monotonic() - began > 0.9


@pytest.mark.parametrize(("command", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137)])
def test_the_exit_code_is_the_commands(command: str, code: int) -> None:
    """Without a line of the shell's own in the log."""
    done = subprocess.run([*INIT, "sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (code, "")


def test_arguments_arrive_as_they_are() -> None:
    odd = ["", "a b", "$(id)", "*", "'", '"', "-n", "\\n"]
    script = "import sys; print(sys.argv[1:])"
    done = subprocess.run([*INIT, sys.executable, "-c", script, *odd], capture_output=True, text=True)
    assert done.stdout == f"{odd}\n"


def test_orphans_are_reaped() -> None:
    """A zombie would stay for the life of the pod, and each counts against the pod's limit of processes."""
    script = """
import os, subprocess, time
for _ in range(5):
    subprocess.run(["sh", "-c", "sleep 0.1 &"])
time.sleep(1)
states = [open(f"/proc/{pid}/status").read() for pid in os.listdir("/proc") if pid.isdigit()]
print(len(states), sum("zombie" in state for state in states), flush=True)
"""
    with container(*INIT, sys.executable, "-c", script) as (outside, _):
        output, _ = outside.communicate(timeout=20)
    assert output == "2 0\n"
