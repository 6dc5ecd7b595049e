"""Recovery from failed requests: what follows one, and how long a dead provider gets no request.

`Recovery` is the one place that decides what a ticket does next. First the same provider again,
as long as that may help (`errors.ProviderError.retryable`) and the policy allows it; then the
ticket's `fallback` providers in their order, for every kind of failure, since what one refuses
another may take; then it is parked, if one of them has a limit that ends in time (`limits`);
then it fails. A retry waits as long as the server asks, otherwise exponentially longer with jitter.
It is never sent while a circuit of its route is open: with another route left, the ticket goes
there at once.

A `Circuit` keeps tickets that work side by side from hammering a dead provider or model. Each
request passes two circuits: its provider's, which counts failures to connect and takes other
failures for answers, and its model's, which counts those others, so that a dead model stops no
other model.

It is closed as long as answers come. When requests have failed `failures` times within `window`
seconds and none was answered in between, it opens: no request leaves for `pause` seconds. Then it
is half open: one request is let through as a probe. If that is answered the circuit closes; if it
fails, the pause doubles, and its error is raised in every ticket that waited: each would have
failed the same way, and a ticket that only waited would do so indefinitely. (Nygard, Release It!,
5.2; "half-open" as in https://martinfowler.com/bliki/CircuitBreaker.html.) Only failures count that
may pass with time: a refused key is an answer.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from typing import NamedTuple, TypeAlias

from lfgtui.engine.recovery.limits import LimitedError, can_park, is_limit
from lfgtui.errors import ProviderError
from lfgtui.model.fold.metrics import OpenCircuit
from lfgtui.settings.config import BreakerPolicy, RetryPolicy, Route

_PROBE_SECONDS = 0.1
"""Seconds that a probe is expected to take, and the least wait for a change of the circuit."""

Waiting: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""Makes the context manager around a wait."""


class Step(NamedTuple):
    """The next attempt: its route, and the seconds until then, or the limit that must end first."""

    route: Route
    delay: float
    is_parked: bool = False


class Recovery:
    """The routes of a ticket, and how often they were tried, since it was last queued.

    `route` is the present one, `own` the first one. `random` gives numbers from 0 to 1.
    """

    def __init__(
        self, policy: RetryPolicy, routes: tuple[Route, ...], random: Callable[[], float]
    ) -> None:
        self.route, *self._fallback = routes
        self.own = self.route
        self._limited: list[Route] = []
        """Routes that were refused for a limit which ends soon enough to wait for."""
        self._policy = policy
        self._random = random
        self._in_a_row = 0
        """Failures of the present route since its last finished response."""
        self._retries = 0
        """Failures of all routes, which `retry.budget` bounds."""

    @property
    def has_fallback(self) -> bool:
        """True if another provider is left."""
        return bool(self._fallback)

    @property
    def routes(self) -> list[Route]:
        """Routes that may be asked: the present one, then those that are left."""
        return [self.route, *self._fallback]

    def after(self, error: ProviderError, *, progressed: bool, rest: float = 0.0) -> Step | None:
        """Return the next step after the error; None if the ticket fails with it.

        `progressed`: a response was finished since the attempt began, so this
        is the first failure in a row. `rest` is how many seconds the route's
        circuits stay open.
        """
        self._in_a_row = 1 if progressed else self._in_a_row + 1
        self._retries += 1
        delay = None
        if self._retries <= self._policy.budget:
            delay = retry_delay(self._policy, error, self._in_a_row, self._random)
            if can_park(self._policy, error):
                self._limited.append(self.route)
        if delay is not None and not (rest and self._fallback):
            return Step(self.route, max(delay, rest))
        if error.kind == "internal" or not (self._fallback or self._limited):
            return None
        self._in_a_row = 0
        if self._fallback:
            self.route = self._fallback.pop(0)
            return Step(self.route, 0.0)
        self.route, *self._fallback = self._limited
        self._limited = []
        return Step(self.route, 0.0, is_parked=True)


def retry_delay(
    policy: RetryPolicy, error: ProviderError, failures: int, random: Callable[[], float]
) -> float | None:
    """Return the seconds until the next try after `failures` in a row; None to give up.

    What the server asks for (`Retry-After`) is obeyed, unless it is longer
    than `max_retry_after`; else the delay doubles up to `max_delay`, with
    jitter (`random` in 0..1) over its upper half so that tickets that failed
    together do not come back together.
    """
    if not error.retryable or failures >= policy.attempts or isinstance(error, LimitedError):
        return None
    if (wait := error.retry_after) is not None:
        return wait if wait <= policy.max_retry_after else None
    delay = min(policy.max_delay, policy.base_delay * 2.0 ** (failures - 1))
    return delay * (0.5 + 0.5 * random())


def final_message(policy: RetryPolicy, error: ProviderError) -> str:
    """Return the message of a ticket that fails with the error, with the setting that decided."""
    wait = error.retry_after
    if wait is None or wait <= policy.max_retry_after or can_park(policy, error):
        return error.message  # parked as often as the budget allows
    setting, most = "max_retry_after", policy.max_retry_after
    if is_limit(policy, error):
        setting, most = "max_park", policy.max_park
    more = f"more than retry.{setting} ({most:.0f} s)"
    return f"{error.message}; the provider asks to wait {wait:.0f} s, {more}"


class Circuit:
    """The circuit of a model, or of a whole provider, shared by all tickets of a run."""

    def __init__(
        self, of: str | Route, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = str(of)
        self._is_models = isinstance(of, Route)
        self._policy = policy
        self._clock = clock
        self._failed_at: deque[float] = deque(maxlen=policy.failures)
        """When the last requests failed, since one was answered."""
        self._pause = policy.pause
        self._open_until: float | None = None
        """When a probe may be sent; None while closed."""
        self._is_probed = False
        """True while a probe is under way."""
        self.probe_error: ProviderError | None = None
        """The error of the last probe, until a request is answered."""
        self.cause = ""
        """The failure that opened the circuit, in short: `HTTP 500`, `timeout`."""
        self._change = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """True while requests may be sent freely."""
        return self._open_until is None

    def retry_after(self) -> float:
        """Return the seconds until a request may be sent, as far as is known; 0: now."""
        if self._open_until is None:
            return 0.0
        left = max(0.0, self._open_until - self._clock())
        return max(left, _PROBE_SECONDS) if self._is_probed else left

    @contextmanager
    def request(self) -> Iterator[Callable[[], None]]:
        """Send a request in the body now, as a probe if the circuit is open.

        Yields a function to call when the first content of an answer came.
        """
        is_probe = self._open_until is not None
        self._is_probed = self._is_probed or is_probe
        is_settled = False

        def answered() -> None:
            nonlocal is_settled
            if not is_settled:
                is_settled = True
                # A request from before the circuit opened changes nothing: the probe decides.
                if is_probe or self._open_until is None:
                    self._close()

        try:
            yield answered
        except ProviderError as error:
            is_own = (error.kind != "connection") == self._is_models
            if not error.retryable or not (is_own or self._is_models):
                answered()  # a refusal, or a model's failure, which is an answer of the provider
            elif not is_settled and (is_own or is_probe):
                is_settled = True
                self._fail(error, is_probe=is_probe)
            raise
        finally:
            if is_probe and not is_settled:  # e.g. cancelled: another request may be the probe
                self._is_probed = False
                self._tell()

    async def until_due(self, known: ProviderError | None) -> None:
        """Wait until a request may be sent; raises as `check_probe`."""
        while self.retry_after():
            change = self._change
            with suppress(TimeoutError):
                async with asyncio.timeout(max(self.retry_after(), _PROBE_SECONDS)):
                    await change.wait()
            self.check_probe(known)

    def check_probe(self, known: ProviderError | None) -> None:
        """Raise the error of the last probe, unless it was answered or the error is known."""
        if (error := self.probe_error) is not None and error is not known:
            message = f"{self.name} still does not answer: {error.message}"
            raise ProviderError(error.kind, message, status=error.status)

    def _close(self) -> None:
        self._failed_at.clear()
        self.probe_error = None
        self._pause, self._open_until, self._is_probed = self._policy.pause, None, False
        self._tell()

    def _fail(self, error: ProviderError, *, is_probe: bool) -> None:
        """Count a request that got no answer, or an incomplete one."""
        now = self._clock()
        if is_probe:
            self._is_probed, self.probe_error = False, error
            self._pause = min(self._policy.max_pause, 2 * self._pause)
        elif self._open_until is None:
            self._failed_at.append(now)
            is_full = len(self._failed_at) == self._policy.failures
            if not is_full or now - self._failed_at[0] > self._policy.window:
                return
        else:
            return
        requested = min(self._policy.max_pause, error.retry_after or 0.0)
        self._open_until = now + (requested or self._pause)  # the server knows best
        self.cause = f"HTTP {error.status}" if error.status else error.kind.replace("_", " ")
        self._tell()

    def _tell(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


@asynccontextmanager
async def permit(
    circuits: Sequence[Circuit], waiting: Waiting = nullcontext
) -> AsyncIterator[Callable[[], None]]:
    """Wait, within `waiting`, until all circuits let a request through; the body is the request.

    The probe of one circuit never waits for another. Yields a function to call when something
    came back. Raises the `ProviderError` of a probe that failed in the meantime.
    """
    known = [circuit.probe_error for circuit in circuits]
    while any(circuit.retry_after() for circuit in circuits):
        async with waiting():
            for circuit, error in zip(circuits, known, strict=True):
                await circuit.until_due(error)
        for circuit, error in zip(circuits, known, strict=True):
            circuit.check_probe(error)  # it may have failed before the wait was over
    with ExitStack() as requests:
        answers = [requests.enter_context(circuit.request()) for circuit in circuits]

        def answered() -> None:
            for answer in answers:
                answer()

        yield answered


class Circuits(dict[str | Route, Circuit]):
    """The circuits of a run by provider's name and by model's route, made on first use."""

    def __init__(self, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock

    def __missing__(self, key: str | Route) -> Circuit:
        return self.setdefault(key, Circuit(key, self._policy, self._clock))

    @property
    def open(self) -> dict[str, OpenCircuit]:
        """The open circuits, by name: whole providers first, then the longest wait first."""
        names = [key for key, circuit in self.items() if not circuit.is_closed]
        names.sort(key=lambda key: (isinstance(key, Route), -self[key].retry_after()))
        return {str(key): OpenCircuit(self[key].retry_after(), self[key].cause) for key in names}

    def slowest(self, route: Route) -> Circuit:
        """Return the one of the route's two circuits that lets requests through last."""
        return max(self[route.provider], self[route], key=Circuit.retry_after)

    def permit(
        self, route: Route, waiting: Waiting = nullcontext
    ) -> AbstractAsyncContextManager[Callable[[], None]]:
        """Wait for both of the route's circuits; see the function `permit`."""
        return permit((self[route], self[route.provider]), waiting)
