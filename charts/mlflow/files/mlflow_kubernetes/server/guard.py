"""Decide when basic-auth hashes a password: two at a time, each right password once, and few guesses.

A hash takes 70 ms of CPU and 32 MiB. A login of an unknown account is hashed too, so that it takes as long as
one of a known account. After repeated failures the answer is a time to wait, without a hash. A password that
was right before is never delayed.
"""

import hmac
import ipaddress
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError

from cachetools import LRUCache

from mlflow_kubernetes.server.login_limits import Budgets, Delays, Slots

# Hashes at a time, requests that may wait for one, and seconds that each may wait.
HASHES, WAITING, SLOT_SECONDS = 2, 4, 1.0
# Checks that may continue after their request was answered with 429.
DEFERRED = 8
# Failures that an account or a client may have at once, and how many come back per second. After that, logins
# are checked in the background only: behind an Ingress all users are one client, so this must delay them and
# not lock them out.
BUDGET = (20, 1 / 3)


class Throttled(Exception):
    """The login was not checked. `seconds` is the time to wait before the next attempt."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Guard:
    """Decides when a password is hashed.

    Args:
        check: compares a stored hash with a password.
        dummy: a hash with MLflow's parameters, for accounts that do not exist.
        report: takes a reason, an account and a client, for each login that failed.
    """

    def __init__(
        self,
        check: Callable[[str, str], bool],
        dummy: str,
        report: Callable[[str, str, str], None],
        size: int = 10_000,
    ) -> None:
        self.check, self.dummy, self.report = check, dummy, report
        self.secret = secrets.token_bytes(32)
        self.lock = threading.Lock()
        self.slots = Slots(HASHES, WAITING)
        # All keys are digests: no table holds a password. The stored hash is part of them and is read from
        # the database each time, so a new password or a removed account takes effect at once in every pod.
        self.right: LRUCache[bytes, bool] = LRUCache(size)
        self.wrong, self.pairs = Delays(size=size), Delays(size=size)
        self.clients, self.accounts = Budgets(*BUDGET, size), Budgets(*BUDGET, size)
        self.running: dict[bytes, Future[bool]] = {}
        self.deferred: set[bytes] = set()

    def digest(self, *parts: str | None) -> bytes:
        """A key of a table."""
        return hmac.digest(self.secret, repr(parts).encode(), "sha256")

    def remembered(self, stored: str, password: str) -> bool:
        """Check a password without limits, for the server itself. A right one is remembered."""
        credential = self.digest(stored, None, password)
        return self._known(credential) or self._learn(credential, self.check(stored, password))

    def _known(self, credential: bytes) -> bool:
        with self.lock:
            return bool(self.right.get(credential))

    def _learn(self, credential: bytes, right: bool) -> bool:
        if right:
            with self.lock:
                self.right[credential] = True
        return right

    def login(self, name: str, stored: str | None, password: str, client: str) -> bool:
        """Return whether a password is right for an account.

        Args:
            name: the account as the client gave it.
            stored: the hash of its password; None if there is no such account.
            password: the password as the client gave it.
            client: the client's address.

        Raises:
            Throttled: it was not checked.
        """
        credential = self.digest(stored, None if stored else name, password)
        if self._known(credential):
            return True
        attempt = Attempt(self, credential, name, stored, password, client)
        try:
            right = self._once(credential, attempt.decide)
        except Throttled:
            self.report("throttled", name, client)
            raise
        if not right:
            self.report("refused", name, client)
        return right

    def _once(self, credential: bytes, decide: Callable[[], bool]) -> bool:
        """Check simultaneous equal logins once: a job may start many processes with one account."""
        with self.lock:
            running = self.running.get(credential)
            if running is None:
                mine = self.running[credential] = Future()
        if running is not None:
            try:
                return running.result(SLOT_SECONDS)
            except TimeoutError:
                raise Throttled(1) from None
            except Throttled as error:
                raise Throttled(error.seconds) from None
        try:
            mine.set_result(decide())
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self.lock:
                del self.running[credential]
        return mine.result()


class Attempt:
    """A login whose outcome is not known yet."""

    def __init__(
        self, guard: Guard, credential: bytes, name: str, stored: str | None, password: str, client: str
    ) -> None:
        self.guard, self.credential, self.stored, self.password = guard, credential, stored, password
        self.client = network(client)
        self.account = guard.digest(stored, None if stored else name)
        self.pair = guard.digest(self.client, stored, None if stored else name)

    def decide(self) -> bool:
        """Return whether the password is right, or raise Throttled."""
        guard = self.guard
        with guard.lock:
            repeated = self.credential in guard.wrong.failures
            self._refuse_early(guard.wrong.wait(self.credential) if repeated else guard.pairs.wait(self.pair))
            if repeated:
                # A job with an old password must not delay the owner, who has the new one.
                guard.wrong.add(self.credential)
                return False
            busy = guard.clients.spent(self.client) or guard.accounts.spent(self.account)
        if busy or not guard.slots.take(SLOT_SECONDS):
            self._defer()
            raise Throttled(1)
        try:
            with guard.lock:  # others that waited with this one may have failed since
                self._refuse_early(guard.pairs.wait(self.pair))
            return self._hash()
        finally:
            guard.slots.give()

    def _refuse_early(self, seconds: float) -> None:
        if seconds:
            raise Throttled(seconds)

    def _hash(self) -> bool:
        guard = self.guard
        right = guard.check(self.stored or guard.dummy, self.password) and self.stored is not None
        with guard.lock:
            if right:
                guard.right[self.credential] = True
                guard.pairs.forget(self.pair)
            else:
                guard.wrong.add(self.credential)
                guard.pairs.add(self.pair)
                guard.clients.add(self.client)
                guard.accounts.add(self.account)
        return right

    def _defer(self) -> None:
        """Check the password after the answer, so that a right one works at the next try in spite of others.

        The answer is always 429, without delay, and a failure is counted before the outcome is known, so
        nothing that a client sees depends on whether the account exists.
        """
        guard = self.guard
        with guard.lock:
            guard.pairs.add(self.pair)
            if self.stored is None or self.credential in guard.deferred or len(guard.deferred) >= DEFERRED:
                return
            guard.deferred.add(self.credential)
        threading.Thread(target=self._check_later, daemon=True).start()

    def _check_later(self) -> None:
        guard = self.guard
        try:
            if guard.slots.take(5 * SLOT_SECONDS):
                try:
                    right = guard.check(self.stored or guard.dummy, self.password)
                finally:
                    guard.slots.give()
                if guard._learn(self.credential, right):
                    with guard.lock:
                        guard.pairs.forget(self.pair)
        finally:
            with guard.lock:
                guard.deferred.discard(self.credential)


def network(client: str) -> str:
    """Return the key of a client's failures: an IPv4 address, or an IPv6 /64, which one host may own."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client[:64]
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped or address.version == 4:
        return str(mapped or address)
    return str(ipaddress.ip_network((address, 64), strict=False))
