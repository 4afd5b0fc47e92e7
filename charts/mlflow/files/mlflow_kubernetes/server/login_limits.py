"""Count failures by key, in tables of bounded size: delays after failures in a row, and budgets."""

import threading
import time
from collections.abc import Callable, Hashable

from cachetools import LRUCache

Clock = Callable[[], float]


class Delays:
    """Failures in a row, and the wait that follows them: none at first, then 1 s, 2 s, 4 s, up to a maximum.

    Args:
        free: failures without a wait.
        longest: the maximum in seconds.
        forget_after: seconds without a failure after which a key starts from zero.
        size: number of keys; the one that was used least recently goes first.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        free: int = 5,
        longest: float = 60,
        forget_after: float = 900,
        size: int = 10_000,
        clock: Clock = time.monotonic,
    ) -> None:
        self.free, self.longest, self.forget_after, self.clock = free, longest, forget_after, clock
        self.failures: LRUCache[Hashable, tuple[int, float]] = LRUCache(size)

    def wait(self, key: Hashable) -> float:
        """Seconds until the next attempt is allowed; 0 if it is."""
        count, last = self.failures.get(key, (0, 0.0))
        if count < self.free:
            return 0
        pause = min(self.longest, 2.0 ** min(count - self.free, 30))
        return max(0, last + pause - self.clock())

    def add(self, key: Hashable) -> None:
        """Count a failure."""
        now = self.clock()
        count, last = self.failures.get(key, (0, now))
        self.failures[key] = (count + 1 if now - last < self.forget_after else 1, now)

    def forget(self, key: Hashable) -> None:
        """Start from zero after a success."""
        self.failures.pop(key, None)


class Budgets:
    """How much each key has used of a budget that refills steadily.

    Args:
        limit: how much may be used at once.
        per_second: how much of it comes back each second.
        size, clock: as in Delays.
    """

    def __init__(
        self, limit: float, per_second: float, size: int = 10_000, clock: Clock = time.monotonic
    ) -> None:
        self.limit, self.per_second, self.clock = limit, per_second, clock
        self.levels: LRUCache[Hashable, tuple[float, float]] = LRUCache(size)

    def level(self, key: Hashable) -> float:
        """Return how much of the budget is in use."""
        level, at = self.levels.get(key, (0.0, 0.0))
        return max(0.0, level - (self.clock() - at) * self.per_second)

    def spent(self, key: Hashable) -> bool:
        """Return whether the budget is used up."""
        return self.level(key) > self.limit - 1

    def add(self, key: Hashable) -> None:
        """Use one. It may exceed the limit by one, so that a flood does not delay the refill."""
        self.levels[key] = (min(self.level(key) + 1, self.limit + 1), self.clock())


class Slots:
    """A semaphore for which only a few may wait, and not for long."""

    def __init__(self, free: int, queue: int) -> None:
        self.free, self.queue, self.waiting = free, queue, 0
        self.changed = threading.Condition()

    def take(self, seconds: float) -> bool:
        """Take a slot. Return False if none became free in time, or at once if enough others wait."""
        with self.changed:
            if not self.free and self.waiting >= self.queue:
                return False
            self.waiting += 1
            got = self.changed.wait_for(lambda: self.free > 0, seconds)
            self.waiting -= 1
            self.free -= got
            return got

    def give(self) -> None:
        """Return a slot."""
        with self.changed:
            self.free += 1
            self.changed.notify()
