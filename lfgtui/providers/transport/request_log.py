"""One response in the debug log: its server, its beginning, its end.

Lines carry names, times and counts; never a key, a prompt or an answer. So no
message of an error either, in which servers like to quote requests.
"""

import asyncio
import logging
from collections import Counter
from time import monotonic
from types import TracebackType
from typing import Self

from lfgtui.errors import ProviderError
from lfgtui.providers.base import Request
from lfgtui.providers.errors.mapping import as_provider_error

_logger = logging.getLogger(__name__)


class ResponseLog:
    """Around one response. `unknown` is its decoder's count, read at the end."""

    def __init__(self, host: str, request: Request, unknown: Counter[str]) -> None:
        self._host = host or "?"
        self._request = request
        self._unknown = unknown
        self._began = monotonic()

    def __enter__(self) -> Self:
        request = self._request
        self._log("request to %s: %s, turn %d", self._host, request.model, request.turn)
        return self

    def answered(self) -> None:
        """Note that the response's head has come."""
        self._log("%s answered after %.3f s", self._host, monotonic() - self._began)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not _logger.isEnabledFor(logging.INFO):
            return
        seconds = monotonic() - self._began
        self._log("%s %s after %.3f s", self._host, _ending(error), seconds)
        if self._unknown:
            counts = ", ".join(f"{name} {count}" for name, count in self._unknown.most_common())
            self._log("%s sent records of unknown types: %s", self._host, counts)

    def _log(self, message: str, *values: object) -> None:
        if _logger.isEnabledFor(logging.INFO):
            task = asyncio.current_task()  # the engine names a ticket's task after it
            _logger.info(f"%s: {message}", task.get_name() if task else "-", *values)


def _ending(error: BaseException | None) -> str:
    if error is None:
        return "finished"
    if isinstance(error, ProviderError):
        return f"failed ({error.kind})"
    if isinstance(error, Exception):
        return f"failed ({as_provider_error(error).kind}, {type(error).__name__})"
    return "was cancelled"
