"""The needs of a run's tickets, and the ticket whose answer meets each need.

A need is the id of another ticket. If that runs as copies, the chosen copy's answer meets the need.
The person chooses. In a headless run, where nobody can, a single copy that is done is taken; of
several, none is: a guess could throw away the better one, so the tickets that need one are blocked
until somebody has chosen.
"""

from collections.abc import Callable, Mapping

from lfgtui.agent.schema import answer_of
from lfgtui.engine.ticket.ticket_run import TicketRun
from lfgtui.model import events as e
from lfgtui.model.fold.states import IN_WORDS, MOVES


class Needs:
    """The needs and choices of a run's tickets. `runs` are all of them, by id.

    `_chosen` are the chosen copies, by the id of the ticket that they are copies of.
    """

    def __init__(self, runs: Mapping[str, TicketRun], *, headless: bool) -> None:
        self._runs = runs
        self._headless = headless
        self._chosen: dict[str, TicketRun] = {}

    def recall(self) -> None:
        """Restore the choices that an earlier process stored; called once, before work starts."""
        chosen = [run for run in self._runs.values() if run.transcript.is_chosen]
        self._chosen = {run.ticket.copy_of: run for run in chosen}

    def source(self, need: str) -> TicketRun | None:
        """Return the ticket whose answer meets a need; None while no such ticket is done."""
        run = self._runs.get(need) or self._chosen.get(need)
        return run if run is not None and run.is_done else None

    def are_met(self, run: TicketRun) -> bool:
        """Return True if the ticket may start."""
        return all(self.source(need) for need in run.ticket.needs)

    def answers(self, run: TicketRun) -> dict[str, str]:
        """Return the answers that go with the ticket's prompt, by the ids of its needs."""
        sources = {need: self.source(need) for need in run.ticket.needs}
        return {
            need: answer_of(one.ticket, one.transcript.answer)
            for need, one in sources.items()
            if one is not None
        }

    def loss(self, run: TicketRun) -> str:
        """Return why the ticket cannot start any more; "" if it can, or still may."""
        losses = (self._loss(need) for need in run.ticket.needs if self.source(need) is None)
        return " and ".join(filter(None, losses))

    def _loss(self, need: str) -> str:
        """Return why no ticket can meet the need any more; "" if one may."""
        sources = [self._runs[need]] if need in self._runs else self._copies(need)
        if any(run.phase != "ended" for run in sources):
            return ""
        if any(run.is_done for run in sources):
            chosen = f"no copy of “{need}” was chosen: `lfg choose`, then `lfg resume`"
            return chosen if self._headless else ""
        ends = [(run.ticket.id, run.outcome) for run in sources if run.outcome is not None]
        return " and ".join(f"“{ticket}” {IN_WORDS[MOVES[type(end)][1]]}" for ticket, end in ends)

    def _copies(self, name: str) -> list[TicketRun]:
        return [run for run in self._runs.values() if run.ticket.copy_of == name]

    def is_settled(self, run: TicketRun) -> bool:
        """Return True if the ticket is done, or another copy was chosen."""
        name = run.ticket.copy_of
        return run.is_done or (name != "" and self.source(name) is not None)

    def release(self) -> bool:
        """Queue blocked tickets whose needs may be met after all; return True if there were any."""
        blocked = [run for run in self._runs.values() if run.is_blocked_by_need]
        released = [run for run in blocked if not self.loss(run)]
        for run in released:
            run.queue(continues=False)
        return bool(released)

    def block(self, end: Callable[[TicketRun, e.Ending], None]) -> bool:
        """End tickets that can no longer start; return True if there were any."""
        pending = [run for run in self._runs.values() if run.phase == "pending"]
        lost = [(run, loss) for run in pending if (loss := self.loss(run))]
        for run, loss in lost:
            end(run, e.TicketBlocked(loss))
            run.is_blocked_by_need = True
        return bool(lost)

    def choose(self, run: TicketRun) -> None:
        """Choose this copy, if it is done and no ticket has got another copy's answer yet."""
        name = run.ticket.copy_of
        before = self._chosen.get(name)
        if not (name and run.is_done) or before is run:
            return
        if before is not None:
            if before.is_done and self._has_begun(name):
                return
            before.emit(e.ChoiceMade(chosen=False))
        self._chosen[name] = run
        run.emit(e.ChoiceMade())

    def _has_begun(self, name: str) -> bool:
        """Return True if a ticket that needs this one has begun, and so has its answer."""
        needing = (run for run in self._runs.values() if name in run.ticket.needs)
        return any(run.phase == "running" or run.transcript.attempts for run in needing)

    def choose_unasked(self) -> None:
        """Choose copies for which nobody is asked, as soon as that is clear.

        With `choose = "first"` that is the first copy, in file order, that is done now; in a
        headless run the only one that is done once all have ended.
        """
        for name in {run.ticket.copy_of for run in self._runs.values()} - {"", *self._chosen}:
            copies = self._copies(name)
            done = [run for run in copies if run.is_done]
            is_over = all(run.phase == "ended" for run in copies)
            is_only = self._headless and is_over and len(done) == 1
            if done and (is_only or done[0].ticket.choose == "first"):
                self.choose(done[0])
