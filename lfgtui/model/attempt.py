"""One try at a ticket, as the fold leaves it."""

from collections.abc import Iterator

import msgspec

from lfgtui.errors import ErrorKind
from lfgtui.model import events as e
from lfgtui.model.items import Item, ReasoningItem, SourcesItem, TextItem, ToolItem
from lfgtui.model.states import State


class AttemptError(msgspec.Struct, frozen=True):
    """Why an attempt broke."""

    kind: ErrorKind
    message: str
    retryable: bool


class UsageTotals(msgspec.Struct):
    """Tokens as the provider counts them, and their price in USD where known."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cost: float | None = None

    def add(self, usage: e.Usage) -> None:
        self.input += usage.input
        self.output += usage.output
        self.cached += usage.cached
        if usage.cost is not None:
            self.cost = (self.cost or 0.0) + usage.cost


class Attempt(msgspec.Struct):
    """One try: first, retry, failover or resume. Partial text included."""

    number: int
    provider: str
    model: str
    continues: bool
    started_at: float
    keeps_partial: bool = False
    ended_at: float | None = None
    state: State = "starting"
    items: list[Item] = msgspec.field(default_factory=list)
    open_citations: list[e.Citation] = msgspec.field(default_factory=list)
    turn: int = 0
    stop_reason: e.StopReason | None = None
    error: AttemptError | None = None
    request_sent_at: float | None = None
    first_content_at: float | None = None
    ttft: float | None = None
    streaming_seconds: float = 0.0
    _finished_usage: UsageTotals = msgspec.field(default_factory=UsageTotals)
    _turn_usage: e.Usage | None = None

    @property
    def usage(self) -> UsageTotals:
        """All finished turns and the running one's last report."""
        total = UsageTotals(
            self._finished_usage.input,
            self._finished_usage.output,
            self._finished_usage.cached,
            self._finished_usage.cost,
        )
        if self._turn_usage is not None:
            total.add(self._turn_usage)
        return total

    @property
    def text(self) -> str:
        """Exactly the visible answer: all visible text, joined with nothing between."""
        return "".join(item.text for item in self.items if isinstance(item, TextItem))

    @property
    def reasoning(self) -> str:
        """All of the model's thinking, joined with nothing between."""
        return "".join(item.text for item in self.items if isinstance(item, ReasoningItem))

    @property
    def citations(self) -> list[e.Citation]:
        """Citations: each source once a response, then those of the running one."""
        sources = (item for item in self.items if isinstance(item, SourcesItem))
        return [*(c for item in sources for c in item.citations), *self.open_citations]

    def take_sources(self) -> tuple[e.Citation, ...]:
        """The sources of the response that ends, the first citation of each."""
        found: dict[str, e.Citation] = {}
        for citation in self.open_citations:
            found.setdefault(citation.url or citation.title or citation.quote, citation)
        self.open_citations.clear()
        return tuple(found.values())

    @property
    def tools(self) -> Iterator[ToolItem]:
        """The tool calls, in order."""
        return (item for item in self.items if isinstance(item, ToolItem))

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens over streaming time, tool time left out; None before any."""
        output = self.usage.output
        if not output or self.streaming_seconds <= 0:
            return None
        return output / self.streaming_seconds
