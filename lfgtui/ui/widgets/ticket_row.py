"""A ticket as a row of a list: its figures, and the words that find it.

Figures are computed only when they are needed for drawing or sorting.
"""

from lfgtui.model.fold.attempts import cost_of
from lfgtui.model.fold.metrics import AgentUsage, Health
from lfgtui.model.fold.states import BADGES, ENDED, RUNNING, Badge
from lfgtui.ui.attention import conflict_words, stall
from lfgtui.ui.run_view import RunView
from lfgtui.ui.text.styled_line import one_line
from lfgtui.ui.widgets.header import kind_of
from lfgtui.ui.widgets.last_words import last_tool, last_words, waiting_reason
from lfgtui.ui.widgets.pane_header import badge_of


class TicketRow:
    """A ticket at a moment. `index` is its position in the file, from 0."""

    def __init__(
        self, run: RunView, index: int, health: Health, now: float, stall_after: float
    ) -> None:
        self.index = index
        self.ticket = run.tickets[index]
        self.transcript = run.transcript(self.ticket.id)
        self.state = self.transcript.state
        self.meter = run.meter(self.ticket.id)
        self.branch = ""
        """The text before its name in the tree of needs; the table sets it."""
        self._run = run
        self._health = health
        self._now = now
        self._stall_after = stall_after

    @property
    def badge(self) -> Badge:
        """Its state, as the pane's header shows it."""
        return badge_of(self.transcript, self.meter, self._now, self._stall_after)

    @property
    def name(self) -> str:
        """Its id, and its title if it has one."""
        title = one_line(self.ticket.title)
        return f"{self.branch}{self.ticket.id}{'  ' * bool(title)}{title}"

    @property
    def seconds_in_state(self) -> float | None:
        """Seconds in its state; None before it has one."""
        return max(0.0, self._now - self.transcript.since) if self.state is not None else None

    @property
    def model(self) -> str:
        """The model that it runs on, or will; for an agent that chooses its own, the agent."""
        attempt = self.transcript.attempt
        model = attempt.model if attempt else self.ticket.model
        return one_line(model or "") or self.provider

    @property
    def provider(self) -> str:
        """The provider that it runs on, or will."""
        attempt = self.transcript.attempt
        return one_line(attempt.provider if attempt else self.ticket.provider or "")

    @property
    def kind(self) -> str:
        """Its kind, as the header counts it."""
        waiting = self._health.waiting_for_slot
        return kind_of(self._run, self.ticket.id, waiting, self._now, self._stall_after)

    @property
    def rate(self) -> float:
        """Tokens per second: at present while it runs, later over its last attempt."""
        if self.state in RUNNING:
            return self.meter.rate(self._now)
        attempt = self.transcript.attempt
        return (attempt.tokens_per_second if attempt else None) or 0.0

    @property
    def cost(self) -> tuple[float | None, bool]:
        """Cost of all attempts in USD, and whether a part of it is an estimate."""
        return cost_of(self.transcript.attempts)

    @property
    def context(self) -> int:
        """Tokens of the context that its newest response used; 0 if the provider counts none."""
        return self.transcript.attempt.context if self.transcript.attempt else 0

    @property
    def agent(self) -> AgentUsage | None:
        """The usage of its agent's processes; None without any."""
        return self._health.agents.get(self.ticket.id)

    @property
    def context_share(self) -> float | None:
        """The part of the context that is used; None if its size is not known."""
        return self.transcript.attempt.context_share if self.transcript.attempt else None

    @property
    def last_tool(self) -> str:
        """The tool that it called last."""
        return last_tool(self.transcript)

    @property
    def waiting_for(self) -> str:
        """The reason why it waits: tickets, a slot, a time or a person."""
        if self.state == "needs_approval" or self.transcript.asks:
            return "you"
        reason = waiting_reason(self._run, self.ticket, self._now, self._health)
        return reason.removeprefix("waiting for ").removeprefix("parked ").partition(" (")[0]

    @property
    def last_words(self) -> str:
        """A line on why it waits, its error, or the end of its answer."""
        if stalled := stall(self.transcript, self.meter, self._now, self._stall_after):
            return stalled.note(self._now)
        words = last_words(self._run, self.ticket, self._now, self._health)
        if self.state == "needs_approval" or self.transcript.asks:
            return words
        return f"{conflict_words(self.transcript, self._now)}  {words}".strip()

    @property
    def needs(self) -> str:
        """The tickets that it needs."""
        return ", ".join(self.ticket.needs)

    def matches(self, pattern: str) -> bool:
        """Return True if all words are in its id, title, model, state or last words.

        `state:failed` and `is:failed` match the state alone, by its beginning.
        """
        if not pattern:
            return True
        badge = self.badge
        states = [self.state or "", BADGES[self.state].word, badge.word, self.kind]
        said = (self.name, self.model, *states, self.last_words)
        text = "\n".join(said).casefold()
        states += ["running"] * (self.state in RUNNING) + ["ended"] * (self.state in ENDED)
        for word in pattern.casefold().split():
            kind, colon, state = word.partition(":")
            if colon and kind in ("state", "is"):
                if not any(one.startswith(state) for one in states):
                    return False
            elif word not in text:
                return False
        return True
