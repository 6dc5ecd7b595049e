"""The attempts at one ticket as if each were a ticket: what comparing them looks at."""

from collections.abc import Mapping, Sequence

import msgspec

from lfgtui.model.attempt import Attempt
from lfgtui.model.metrics import CHARACTERS_A_TOKEN, Meter
from lfgtui.model.single_attempt import AttemptTranscript
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.ui.run_view import RunView


class AttemptsView:
    """A `ui.view.RunView` over the attempts there are just now; the newest may still grow."""

    def __init__(self, run: RunView, ticket: Ticket) -> None:
        self._run = run
        self.ticket = ticket.id
        attempts = run.transcript(ticket.id).attempts
        whole = run.meter(ticket.id)
        self.tickets: Sequence[Ticket] = tuple(_as_ticket(ticket, each) for each in attempts)
        ids = [each.id for each in self.tickets]
        self._transcripts = dict(zip(ids, map(AttemptTranscript, attempts), strict=True))
        self._meters = {
            name: AttemptMeter(each, whole) for name, each in zip(ids, attempts, strict=True)
        }

    @property
    def run(self) -> str:
        return self._run.run

    @property
    def title(self) -> str:
        return f"{self.ticket} · {self._run.title}"

    @property
    def behind(self) -> str | None:
        return self._run.behind

    @property
    def resting(self) -> Mapping[str, float]:
        return self._run.resting

    @property
    def queued_bytes(self) -> int:
        return self._run.queued_bytes

    def transcript(self, ticket: str) -> Transcript:
        return self._transcripts[ticket]

    def meter(self, ticket: str) -> Meter:
        meter = self._meters[ticket]
        meter.look()
        return meter


class AttemptMeter(Meter):
    """An attempt's own figures; those of the moment come from its ticket's while it runs."""

    def __init__(self, attempt: Attempt, whole: Meter) -> None:
        super().__init__()
        self._attempt = attempt
        self._whole = whole
        self.look()

    def look(self) -> None:
        """Take over what is plainly kept."""
        self.started_at, self.ttft = self._attempt.started_at, self._attempt.ttft

    @property
    def _runs(self) -> bool:
        return self._attempt.ended_at is None

    def elapsed(self, now: float) -> float | None:
        return max(0.0, (self._attempt.ended_at or now) - self._attempt.started_at)

    def rate(self, now: float) -> float:
        return self._whole.rate(now) if self._runs else 0.0

    def output_tokens(self) -> tuple[int, bool]:
        counted = self._attempt.usage.output
        if counted:
            return counted, False
        characters = len(self._attempt.text) + len(self._attempt.reasoning)
        return round(characters / CHARACTERS_A_TOKEN), characters > 0

    def history(self, now: float) -> list[float]:
        return self._whole.history(now) if self._runs else []

    def waiting_for(self, now: float) -> float | None:
        return self._whole.waiting_for(now) if self._runs else None

    def is_stalled(self, now: float, stall_after: float) -> bool:
        return self._runs and self._whole.is_stalled(now, stall_after)


def _as_ticket(ticket: Ticket, attempt: Attempt) -> Ticket:
    return msgspec.structs.replace(
        ticket,
        id=f"{ticket.id} #{attempt.number}",
        title="",
        needs=(),
        provider=attempt.provider,
        model=attempt.model,
    )
