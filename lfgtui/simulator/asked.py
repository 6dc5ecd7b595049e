"""A request in no wire's terms, and how one is refused."""

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

RefusalKind = Literal["invalid", "auth", "not_found", "rate_limit", "overloaded", "server"]


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What came back for one tool call. `failed` where the wire says so."""

    call_id: str
    output: str
    failed: bool = False

    @property
    def went_wrong(self) -> bool:
        """Whether it failed, by the wire's flag or by what the output says."""
        return self.failed or _FAILED.search(self.output) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    `prompt` is the last plain user message, `conversation` a digest of all up
    to it, `turn` the number of model responses since (from 0), `answers` the
    tool results that came last. `max_tokens` is None where there is no limit.
    """

    model: str
    stream: bool
    prompt: str
    conversation: str
    turn: int
    answers: tuple[ToolAnswer, ...]
    max_tokens: int | None
    reasoning: bool
    tools: frozenset[str]
    input_tokens: int
    cached_tokens: int

    @property
    def failed(self) -> bool | None:
        """Whether one of the last tool results failed; None where there are none."""
        return any(answer.went_wrong for answer in self.answers) if self.answers else None


class Refused(Exception):  # noqa: N818 - a past-tense fact, not a fault of ours
    """A request that is answered with an error. Each wire writes it in its own form.

    `param` and `code` exist on OpenAI's wires only; `retry_after` is in seconds.
    """

    def __init__(
        self,
        status: int,
        kind: RefusalKind,
        message: str = "",
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind: RefusalKind = kind
        self.message = message
        self.param = param
        self.code = code
        self.retry_after = retry_after


def tokens(characters: int) -> int:
    """About how many tokens that many characters are."""
    return -(-characters // CHARACTERS_PER_TOKEN)
