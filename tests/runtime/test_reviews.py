"""Permissions that threads wait for: the event loop answers other requests meanwhile."""

import asyncio
import importlib
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from runtime.server import FILES

WORKSPACE: ContextVar[str] = ContextVar("workspace")
Permitted = Callable[..., Coroutine[Any, Any, tuple[str, str]]]


@pytest.fixture
def reviews(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the chart."""
    monkeypatch.syspath_prepend(FILES)
    return importlib.import_module("mlflow_kubernetes.server.reviews")


@pytest.fixture
def permitted(reviews: Any) -> Permitted:
    """A permission whose review takes its time, and needs what the client sends."""

    @reviews.on_the_loop
    async def body(text: str) -> str:
        await asyncio.sleep(0.01)
        assert threading.current_thread() is threading.main_thread()
        return text

    @reviews.in_a_thread
    async def permitted(seconds: float, text: str, *, error: Exception | None = None) -> tuple[str, str]:
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(seconds)
        read = await body(text)
        if error:
            raise error
        return WORKSPACE.get(), read

    return permitted  # type: ignore[no-any-return]


async def answers(permitted: Permitted, seconds: float, number: int) -> list[tuple[str, str]]:
    """Ask that many times at once."""
    WORKSPACE.set("team-a")
    return await asyncio.gather(*(permitted(seconds, f"body {each}") for each in range(number)))


def test_the_loop_goes_on_while_reviews_are_awaited(permitted: Permitted) -> None:
    async def run() -> tuple[list[tuple[str, str]], float]:
        asked, longest = asyncio.create_task(answers(permitted, 2, 8)), 0.0
        while not asked.done():
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before)
        return asked.result(), longest

    found, longest = asyncio.run(run())
    assert found == [("team-a", f"body {number}") for number in range(8)]
    assert longest < 1.5


def test_more_requests_than_threads_are_all_answered(reviews: Any, permitted: Permitted) -> None:
    number = int(reviews.LIMITER.total_tokens) * 2
    found = asyncio.run(answers(permitted, 0.05, number))
    assert found == [("team-a", f"body {each}") for each in range(number)]


def test_an_error_reaches_the_caller(permitted: Permitted) -> None:
    with pytest.raises(PermissionError, match="no"):
        asyncio.run(permitted(0, "", error=PermissionError("no")))


def test_a_coroutine_that_waits_for_the_loop_is_a_mistake(reviews: Any) -> None:
    @reviews.in_a_thread  # type: ignore[untyped-decorator]
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waits for the event loop"):
        asyncio.run(waits())
