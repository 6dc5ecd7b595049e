"""A circuit breaker: tickets that work side by side do not hammer a dead provider.

A circuit is closed as long as a provider answers. When requests have failed
`failures` times within `window` seconds and none was answered in between, it
opens: no request leaves for `pause` seconds. Then it is half open: one
request is let through as a probe. If that is answered the circuit closes; if
it fails, the pause doubles, and whoever waited learns of it as a failure of
its own: each would have failed the same way, and a ticket that only waited
would wait for ever. (Nygard, Release It!, 5.2; "half-open" as in
https://martinfowler.com/bliki/CircuitBreaker.html.)

What counts is what may pass with time: a refused key is an answer.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from lfgtui.errors import ProviderError
from lfgtui.settings.config import BreakerPolicy

_A_MOMENT = 0.1
"""Seconds that a probe takes, as long as nothing better is known."""


class Circuit:
    """One provider's circuit, shared by all tickets of a run."""

    def __init__(
        self, provider: str, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.provider = provider
        self._policy = policy
        self._clock = clock
        self._failed_at: deque[float] = deque(maxlen=policy.failures)
        self._pause = policy.pause
        self._rests_until: float | None = None
        self._probe: Permit | None = None
        self._failed_probes = 0
        self._last: ProviderError | None = None
        self._news = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """True while requests may be sent freely."""
        return self._rests_until is None

    def retry_after(self) -> float:
        """Seconds until a request may leave, as far as is known; 0 where one may now."""
        if self._rests_until is None:
            return 0.0
        left = max(0.0, self._rests_until - self._clock())
        return max(left, _A_MOMENT) if self._probe is not None else left

    async def enter(self) -> "Permit":
        """Wait until a request may leave.

        Raises `ProviderError`, of the kind the provider fails with, when a
        probe failed in the meantime.
        """
        failed_probes = self._failed_probes
        while self._rests_until is not None:
            if not self.retry_after() and self._probe is None:
                self._probe = Permit(self)
                return self._probe
            await self._wait()
            if self._failed_probes != failed_probes and self._last is not None:
                told = f"{self.provider} still does not answer: {self._last.message}"
                raise ProviderError(self._last.kind, told)
        return Permit(self)

    def answered(self, permit: "Permit") -> None:
        """The provider answers: close."""
        if self._rests_until is not None and permit is not self._probe:
            return  # sent before it opened: the probe tells
        self._failed_at.clear()
        self._pause, self._rests_until, self._probe = self._policy.pause, None, None
        self._tell()

    def failed(self, permit: "Permit", error: ProviderError) -> None:
        """A request got no answer, or not all of one."""
        now = self._clock()
        self._last = error
        if permit is self._probe:
            self._probe = None
            self._failed_probes += 1
            self._pause = min(self._policy.max_pause, 2 * self._pause)
            self._open(now, error)
        elif self._rests_until is None:
            self._failed_at.append(now)
            is_full = len(self._failed_at) == self._policy.failures
            if is_full and now - self._failed_at[0] <= self._policy.window:
                self._open(now, error)

    def left(self, permit: "Permit") -> None:
        """A request was given up before its fate was known; another may be the probe."""
        if permit is self._probe:
            self._probe = None
            self._tell()

    def _open(self, now: float, error: ProviderError) -> None:
        asked = min(self._policy.max_pause, error.retry_after or 0.0)
        self._rests_until = now + (asked or self._pause)  # the server knows best
        self._tell()

    async def _wait(self) -> None:
        """Until something changed, or the pause is over."""
        news = self._news
        try:
            async with asyncio.timeout(max(self.retry_after(), _A_MOMENT)):
                await news.wait()
        except TimeoutError:
            pass

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Circuits(dict[str, Circuit]):
    """The circuits of a run by provider, made when they are asked for."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy

    def __missing__(self, provider: str) -> Circuit:
        return self.setdefault(provider, Circuit(provider, self._policy))

    @property
    def open(self) -> dict[str, float]:
        """Providers that do not answer and are left alone: seconds until the next try."""
        return {name: one.retry_after() for name, one in self.items() if not one.is_closed}


class Permit:
    """One request's leave to go. It ends as answered, failed or left; the first counts."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit: Circuit | None = circuit

    def answered(self) -> None:
        """Something came back."""
        if (circuit := self._ended()) is not None:
            circuit.answered(self)

    def failed(self, error: ProviderError) -> None:
        """Nothing came back, or it broke off. A refusal that time does not mend is an answer."""
        if not error.retryable:
            self.answered()
        elif (circuit := self._ended()) is not None:
            circuit.failed(self, error)

    def leave(self) -> None:
        """It was stopped."""
        if (circuit := self._ended()) is not None:
            circuit.left(self)

    def _ended(self) -> Circuit | None:
        circuit, self._circuit = self._circuit, None
        return circuit
