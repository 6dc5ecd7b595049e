"""The end of a ticket's work, read from what its task returned or raised."""

import asyncio
from typing import TypeAlias

from lfgtui.engine.recovery.limits import RunLimitError
from lfgtui.engine.recovery.recovery import final_message
from lfgtui.errors import (
    ErrorKind,
    HistoryError,
    IllegalMoveError,
    LfgError,
    ProviderError,
    too_many_files,
)
from lfgtui.model import events as e
from lfgtui.providers.errors.mapping import one_line
from lfgtui.settings.config import RetryPolicy

Outcome: TypeAlias = e.Ending | None
"""The ending of a ticket's work; None if it goes on once its providers' limits have ended."""

EXPECTED = (ProviderError, RunLimitError, TimeoutError, LfgError)
"""Errors that a ticket's work may end with."""


def ending_of(error: Exception, policy: RetryPolicy) -> e.Ending:
    """Return the ending of a ticket whose work raised one of the `EXPECTED` errors."""
    match error:
        case ProviderError():
            return e.TicketFailed(error.kind, final_message(policy, error), error.retryable)
        case RunLimitError():
            return e.TicketLimited(error.limit)
        case TimeoutError():
            return e.TicketLimited("time")
    # Otherwise its folder, its setup or its servers are at fault.
    is_internal = isinstance(error, HistoryError | IllegalMoveError)
    kind: ErrorKind = "internal" if is_internal else "invalid_request"
    return e.TicketFailed(kind, one_line(str(error)), retryable=False)


def outcome_of(task: "asyncio.Task[Outcome]", stopped_with: e.Ending | None) -> Outcome:
    """Return how the work ended, once its task is done; `stopped_with` if it was stopped."""
    if task.cancelled():
        return stopped_with or e.TicketInterrupted()
    if (error := task.exception()) is None:
        return task.result() or stopped_with
    if (advice := too_many_files(error)) is not None:
        return e.TicketFailed("internal", advice, retryable=False)
    return failed("", error)


def failed(context: str, error: BaseException) -> e.TicketFailed:
    """Return the ending for an error that is a bug; `context` is put before its message."""
    message = one_line(f"{context}{type(error).__name__}: {error}")
    return e.TicketFailed("internal", message, retryable=False)
