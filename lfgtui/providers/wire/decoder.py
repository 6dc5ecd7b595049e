"""The base of all decoders: a response is read whole, or it fails.

A record that cannot be read is a hole in what the model said. What is left
around the hole may still look complete, and mean something else: `rm -rf
./build/cache/tmp` without one of its pieces is `rm -rf ./build`. So the first
such record fails the response. It is asked for again; no call of it runs.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence

from lfgtui.errors import ProviderError
from lfgtui.model.events import WireEvent
from lfgtui.providers.lenient_json import NO_UTF8, UnreadableError

UNREADABLE = "unreadable"
"""The type under which records that cannot be read are counted where they do no harm."""


def unreadable(why: str) -> ProviderError:
    """Return the error for a response with a record that cannot be read."""
    message = f"the response is damaged: a record cannot be read: {why}"
    return ProviderError("protocol", message, retryable=True)


class RecordDecoder(ABC):
    """The decoder of one response (see `base.Decoder`), which each wire extends.

    Its own methods may raise `UnreadableError` or `ProviderError`; both fail the response.
    """

    def __init__(self, turn: int = 1) -> None:
        self.failure: ProviderError | None = None
        self.unknown: Counter[str] = Counter()
        self.done = False
        self.wire_stop_reason: str | None = None
        self._turn = turn

    def feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]:
        if self.failure is not None:
            return ()
        return self._guarded(lambda: self._feed(name, data), is_over=self.done)

    def finish(self) -> Sequence[WireEvent]:
        return self._guarded(self._finish)

    def decode_whole(self, body: bytes) -> Sequence[WireEvent]:
        return self._guarded(lambda: self._decode_whole(body))

    @abstractmethod
    def _feed(self, name: str, data: str | bytes) -> Sequence[WireEvent]: ...

    @abstractmethod
    def _finish(self) -> Sequence[WireEvent]: ...

    @abstractmethod
    def _decode_whole(self, body: bytes) -> Sequence[WireEvent]: ...

    def _guarded(
        self, step: Callable[[], Sequence[WireEvent]], *, is_over: bool = False
    ) -> Sequence[WireEvent]:
        try:
            return step()
        except ProviderError as error:  # past one of `limits`
            self.failure = self.failure or error
            return ()
        except UnicodeDecodeError:
            why = NO_UTF8
        except UnreadableError as error:
            why = str(error)
        except RecursionError:
            why = "it is nested too deeply"
        if is_over:  # what comes after the end is no part of the response
            self.unknown[UNREADABLE] += 1
        else:
            self.failure = self.failure or unreadable(why)
        return ()
