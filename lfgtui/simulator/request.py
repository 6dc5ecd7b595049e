"""A request in no wire's terms, and an error in answer to one."""

import re
from dataclasses import dataclass
from typing import Literal

CHARACTERS_PER_TOKEN = 4
UNKNOWN_MODEL = "no-such-model"
"""The one model name that is answered 404; any other plays a scenario or the generic answer."""

_FAILED = re.compile(
    r"\Aerror\b|\Athere is no |\A(?:read|list|search|write|edit|run)_(?:files?|command): "
    r"|^FAILED \("
    r"|^\W?(?:killed by \w+, )?exit(?:ed)?(?: with)? (?:code|status):? -?[1-9]",
    re.IGNORECASE | re.MULTILINE,
)

RefusalKind = Literal["invalid", "json", "auth", "not_found", "rate_limit", "overloaded", "server"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool call. `is_error` is the wire's own flag."""

    output: str
    is_error: bool = False

    @property
    def has_failed(self) -> bool:
        """True if the flag or the output says that the tool failed."""
        return self.is_error or _FAILED.search(self.output) is not None


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request.

    `prompt` is the last plain user message, `conversation` a digest of all up
    to it, `turn` the number of model responses since (from 0), `results` those
    that came last. `max_tokens` is None where there is no limit.
    """

    model: str
    stream: bool
    prompt: str
    conversation: str
    turn: int
    results: tuple[ToolResult, ...]
    max_tokens: int | None
    reasoning: bool
    tools: frozenset[str]
    input_tokens: int
    cached_tokens: int

    @property
    def has_failed(self) -> bool | None:
        """True if one of the last tool results failed; None where there are none."""
        return any(result.has_failed for result in self.results) if self.results else None


class Refused(Exception):  # noqa: N818 - an answer to the client, not a fault of ours
    """An error in answer to a request. Each wire writes it in its own form.

    Without a message it has the wire's usual one for its kind. `param` and
    `code` exist on OpenAI's wires only; `retry_after` is in seconds.
    """

    def __init__(
        self,
        kind: RefusalKind,
        message: str = "",
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: RefusalKind = kind
        self.message = message
        self.param = param
        self.code = code
        self.retry_after = retry_after


def tokens(characters: int) -> int:
    """Estimate how many tokens that many characters are."""
    return -(-characters // CHARACTERS_PER_TOKEN)
