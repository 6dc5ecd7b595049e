"""Errors, by whose fault they are.

    LfgError
    ├── UsageError            the person's: bad arguments, bad file; exit code 2
    │   ├── SourceError       ... at a line of a file
    │   └── NotFoundError     ... a run or a ticket that is not there
    ├── ProviderError         the other side's: a request or a stream that failed
    ├── ToolError             the agent's: a tool call that cannot be carried out
    ├── HistoryError          the disk's: the history cannot be read or written
    └── IllegalMoveError         ours: an event that its ticket's state does not allow

A message is one line that says what is wrong, where, and what to do. None of
these prints itself: `cli` prints them, `ui` shows them.
"""

import errno
import resource
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

# What failed a request or a ticket. The names are stored in histories and printed by `--json`, so
# they cannot change; `providers/errors` derives them from what a server or a library says.
ErrorKind = Literal[
    "auth",
    "not_found",
    "invalid_request",
    "context_overflow",
    "rate_limit",
    "overloaded",
    "server",
    "timeout",
    "connection",
    "cut",
    "protocol",
    "content_filter",
    "schema",
    "internal",
]

RETRYABLE_KINDS: frozenset[ErrorKind] = frozenset(
    {"rate_limit", "overloaded", "server", "timeout", "connection", "cut"}
)
"""The same request may succeed when it is sent again."""

LIMIT_KINDS: frozenset[ErrorKind] = frozenset({"rate_limit", "overloaded"})
"""Refusals that are only for some time; the server may say for how long."""


STDIN = Path("-")
"""Stands for standard input where the path of a file is expected."""

_LONGEST_CHAIN = 20  # of causes; libraries wrap an error two or three times

_LONGEST_NAME = 200
"""Characters; a longer text is cut in messages, and not searched for a mistyped name."""


class LfgError(Exception):
    """The root: catching it catches everything lfg raises on purpose."""


class UsageError(LfgError):
    """A command, a file or a setting that cannot be carried out as given."""


class SourceError(UsageError):
    """A mistake in a file, or in `STDIN`; `line` counts from 1, None stands for the whole file."""

    def __init__(self, path: Path, line: int | None, message: str) -> None:
        at_line = ", line " if path == STDIN else ":"
        where = source_name(path) + (f"{at_line}{line}" if line is not None else "")
        super().__init__(f"{where}: {message}")
        self.path = path
        self.line = line
        self.message = message


class NotFoundError(UsageError):
    """A run or a ticket that the history does not have."""


class ProviderError(LfgError):
    """A request that was refused or a stream that broke.

    `retry_after` is the wait in seconds that the server asked for, if it did. `retryable`: the same
    request may succeed when it is sent again; by default that depends on the kind. `status` is
    that of the HTTP response, if there was one.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retry_after: float | None = None,
        retryable: bool | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.retryable = kind in RETRYABLE_KINDS if retryable is None else retryable


class ToolError(LfgError):
    """A tool call that failed; the message goes back to the model."""


class HistoryError(LfgError):
    """The history file cannot be opened, read or written."""


class IllegalMoveError(LfgError):
    """An event arrived in a state that does not allow it: a bug in lfg."""

    def __init__(self, state: str | None, event: str) -> None:
        super().__init__(f"{event} is not allowed in state {state or 'none'}")


def too_many_files(error: BaseException | None) -> str | None:
    """Return advice for a process out of file descriptors; None for any other error.

    Libraries wrap the system's error in their own, or in a group of several.
    """
    left: list[BaseException | None] = [error]
    for _ in range(_LONGEST_CHAIN):
        if not left:
            break
        match one := left.pop(0):
            case OSError(errno=errno.EMFILE | errno.ENFILE as number):
                most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
                where = f"lfg (limit {most})" if number == errno.EMFILE else "this machine"
                advice = (
                    "run fewer tickets at once (--concurrency) or raise the limit with ulimit -n"
                )
                return f"too many open files in {where}: {advice}"
            case BaseException():
                left += [*getattr(one, "exceptions", ()), one.__cause__, one.__context__]
    return None


def source_name(path: Path) -> str:
    """Return the path for a message; `/folder/-`, a resolved `STDIN`, names the folder."""
    if path.name != STDIN.name:
        return str(path)
    return "standard input" if path == STDIN else f"standard input, in {path.parent}"


def no_run(run: str) -> NotFoundError:
    """Return the error for a run that is not in the history."""
    return NotFoundError(f'no run "{run}"; `lfg history` lists them')


def shortened(text: str, most: int = _LONGEST_NAME) -> str:
    """Return the text, or the beginning of one that is longer than `most`, which ends in `…`."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message: `; did you mean "model"?`, or all `known` names."""
    choices = sorted(set(known))
    # Comparing takes seconds for a long text, and a viewer's command may hold megabytes as a name.
    is_name = len(name) <= _LONGEST_NAME
    close = get_close_matches(name, choices, n=1, cutoff=0.6) if is_name else []
    if close:
        return f'; did you mean "{close[0]}"?'
    if choices:
        return f" (known: {', '.join(choices)})"
    return ""
