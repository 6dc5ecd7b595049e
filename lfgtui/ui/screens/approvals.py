"""The keys that decide on calls which wait for approval, in any pane or in the inbox."""

from collections.abc import Callable, Hashable
from functools import partial
from math import inf
from typing import TypeAlias

import msgspec

from lfgtui.agent.approval_rules import offered_rules
from lfgtui.engine.commands import Approve, Command, Deny
from lfgtui.model.approval_options import Verdict, other_options
from lfgtui.model.fold.items import ToolItem
from lfgtui.ui import screens
from lfgtui.ui.attention import Attention, Reason, needing_attention
from lfgtui.ui.keymap import displayed
from lfgtui.ui.run_view import LiveRun
from lfgtui.ui.screens.run import RunMode, RunScreen
from lfgtui.ui.stream.requests_in_view import MIN_SECONDS_IN_VIEW, CardInView, RequestsSeen
from lfgtui.ui.terminal.output import is_behind
from lfgtui.ui.text.cell_width import stream_safe
from lfgtui.ui.text.styled_line import one_line, shorten

_Offers: TypeAlias = dict[str, list[tuple[Approve | Deny, str]]]
"""Decisions, each with its line, by heading."""

# The verdicts that an agent's options have, with a word and a command for each.
_ANSWERS: tuple[tuple[Verdict, str, type[Approve | Deny]], ...] = (
    ("allow", "approve", Approve),
    ("reject", "deny", Deny),
)

_ANSWERED: frozenset[Reason] = frozenset({"held", "question", "choice", "run_limit"})
"""Reasons, besides calls that wait for approval, for which the inbox shows a ticket."""

_LONGEST_OFFER = 300
"""Most cells of a line of the list; the card shows a longer command whole."""


class Approvals:
    """The keys that decide on calls, as an actor of a live run's screen.

    They approve a request only if all of it has been in view for a while: a person who is
    typing, or approving the call before, has not read it. To deny is always safe. In the inbox
    the screen is zoomed on a ticket that waits. After each decision it goes on to the next one,
    and then, after each answer, through the tickets that are done with a question. `LiveMode`
    calls `painted` after each frame.
    """

    def __init__(self, live: LiveRun, mode: RunMode) -> None:
        self._live = live
        self._mode = mode
        self._seen = RequestsSeen()
        self._is_open = False
        """True while the inbox is open."""
        self._left: set[str] = set()
        """Tickets that are left for later."""
        self._decided: set[tuple[str, str, int]] = set()
        """Calls already decided on, before their entries say so: ticket, call id, `asked`."""
        self._to_show: ToolItem | None = None
        """The call to bring into view once its pane is drawn."""
        self._opened: Callable[[], bool] | None = None
        """Returns True once the request that the inbox has opened is decided or answered."""

    @property
    def screen(self) -> RunScreen:
        """The screen that the run is on."""
        return self._mode.screen

    @property
    def view_label(self) -> str:
        """The inbox's name in the footer while it is open."""
        if not (self._is_open and self.screen.is_zoomed):
            return ""
        return f"inbox:{sum(len(self._calls(ticket)) or 1 for ticket in self._waiting())}"

    def painted(self) -> None:
        """Remember since when each waiting request has been in view."""
        self._is_open = self._is_open and self.screen.is_zoomed
        is_covered = self.screen.app.screen is not self.screen
        shown: dict[Hashable, CardInView | None] = {}
        for pane in self.screen.grid.in_view():
            if (call := self._first_call(pane.ticket_id)) is not None:
                if call is self._to_show:
                    pane.stream.show_card(call)
                    self._to_show = None
                request = (pane.ticket_id, call.call_id, call.revision)
                shown[request] = None if is_covered else pane.stream.card_in_view(call)
        self._seen.note(shown, self.screen.now())
        if self.view_label and (self._opened() if self._opened else self._waiting()):
            self._open_next()

    def take_back(self, command: Command) -> None:
        """Let a call be decided on again, since the decision did not arrive or was refused."""
        if isinstance(command, Approve | Deny):
            this = (command.ticket, command.call_id)
            self._decided = {one for one in self._decided if one[:2] != this}

    # Keys

    def action_inbox(self) -> None:
        if not self._waiting():
            self.screen.toast("nothing waits for your answer")
            return
        self._is_open = True
        self._left.clear()
        self._open_next()

    def action_attention(self) -> None:
        """Leave the request that the inbox shows for later."""
        if self.view_label:
            self._left.add(self.screen.current)
            self._open_next()
        else:
            self.screen.action_attention()

    def action_approve(self) -> None:
        if call := self._call_read():
            self._decide(call, Approve(self.screen.current, call.call_id))

    def action_approve_always(self) -> None:
        """Offer decisions on more than this call: rules, and answers that its agent offers."""
        if (call := self._call_read()) is None:
            return
        ticket, revision = self.screen.current, call.revision
        groups = {**self._offered_rules(ticket, call), **self._offered_answers(ticket, call)}
        decisions = [one for group in groups.values() for one in group]

        def chosen(index: int | None) -> None:
            if index is None:
                return
            if self._first_call(ticket) is not call or call.revision != revision:
                self.screen.toast("the request is no longer there")
                return
            decision, line = decisions[index]
            self.screen.toast(
                f"{'answered' if decision.option else 'approved from here on'}: {line}"
            )
            self._decide(call, decision)

        lines = {where: [line for _, line in group] for where, group in groups.items()}
        refusal = partial(self._too_soon, self.screen.now())
        does = "decide on" if other_options(call.options, "reject") else "approve"
        title = f"{does} this call and others like it"
        self.screen.app.push_screen(screens.dialogs.Choice(title, lines, refusal), chosen)

    def _offered_rules(self, ticket: str, call: ToolItem) -> _Offers:
        """Return approvals by rule; the headings are the tickets in which each would hold."""
        rules = offered_rules(call)
        groups = {f"in {ticket}": rules}
        if len(self._live.tickets) > 1:
            is_one_workspace = len({one.workspace for one in self._live.tickets}) == 1
            for rule in rules:
                is_everywhere = is_one_workspace or not rule.is_of_workspace
                where = "" if is_everywhere else " in the same workspace"
                group = groups.setdefault(f"in all tickets of this run{where}", [])
                group.append(msgspec.structs.replace(rule, scope="run"))
        return {
            where: [
                (Approve(ticket, call.call_id, rule), _line(rule.description)) for rule in group
            ]
            for where, group in groups.items()
        }

    def _offered_answers(self, ticket: str, call: ToolItem) -> _Offers:
        """Return the answers that the agent offers besides the plain ones."""
        attempt = self._live.transcript(ticket).attempt
        agent = one_line(attempt.provider) if attempt else "the agent"
        answers: _Offers = {}
        for verdict, does, decision in _ANSWERS:
            if others := other_options(call.options, verdict):
                answers[f"{agent}'s own options: {does}"] = [
                    (
                        decision(ticket, call.call_id, option=one.option_id),
                        _line(one_line(one.name)),
                    )
                    for one in others
                ]
        return answers

    async def action_deny(self) -> None:
        if call := self._waiting_call():
            ticket = self.screen.current

            def deny(reason: str) -> None:
                self._decide(call, Deny(ticket, call.call_id, reason.strip()))

            placeholder = "reason for the model (optional); press enter"
            await self.screen.ask(f"deny {call.name}", deny, placeholder=placeholder)

    def _decide(self, call: ToolItem, command: Approve | Deny) -> None:
        self._decided.add((command.ticket, call.call_id, call.asked))
        self._live.send(command)
        if self.view_label:
            self._open_next()

    # Which call is next

    def _open_next(self) -> None:
        """Go to the next ticket, last to those left for later; if none waits, stay."""
        waiting, self._opened = self._waiting(), None
        if self._left.issuperset(waiting):
            self._left.clear()
        if not waiting:
            self.screen.remark(f"nothing left to answer; {self._key('back')} leaves")
            return
        ticket = next(one for one in waiting if one not in self._left)
        self._to_show = call = self._first_call(ticket)
        self._opened = lambda: ticket not in self._waiting() if call is None else call.is_decided
        self.screen.is_zoomed = True
        self.screen.go_to(ticket)
        if call is None and waiting[ticket].reason == "run_limit":
            screens.limit_question.ask_for_limit(self.screen, self._live)

    def _waiting(self) -> dict[str, Attention]:
        """Return why tickets wait for an answer: requests first, within a kind the oldest first."""
        ids = [ticket.id for ticket in self._live.tickets]
        found = needing_attention(self._live, ids, self.screen.now(), inf)
        needs = {
            ticket: why
            for ticket, why in found.items()
            if self._first_call(ticket) or why[0].reason in _ANSWERED
        }
        order = sorted(needs, key=lambda ticket: needs[ticket][0].rank)
        return {ticket: needs[ticket][0] for ticket in order}

    def _calls(self, ticket: str) -> list[ToolItem]:
        """Return the calls to decide on, one after the other."""
        waiting = self._live.transcript(ticket).calls.waiting
        return [c for c in waiting if (ticket, c.call_id, c.asked) not in self._decided]

    def _first_call(self, ticket: str) -> ToolItem | None:
        """Return the call to decide on, if there is one."""
        return next(iter(self._calls(ticket)), None)

    def _waiting_call(self) -> ToolItem | None:
        """Return the current ticket's call to decide on; say so if there is none."""
        call = self._first_call(self.screen.current)
        if call is None:
            self.screen.toast(f"“{self.screen.current}” has no request to approve or deny")
        return call

    def _call_read(self) -> ToolItem | None:
        """Return the call to decide on, if all of it has been in view long enough to be read."""
        if (call := self._waiting_call()) is None:
            return None
        if not self.screen.grid.display:
            self.screen.remark(f"press {self._key('zoom')} to read the request")
            return None
        request = (self.screen.current, call.call_id, call.revision)
        seconds = self._seen.seconds(request, self.screen.now())
        if seconds is None:
            self._show_request(call, self._seen.first_unseen(request))
            return None
        if too_soon := self._too_soon(self.screen.now() - seconds):
            self.screen.remark(too_soon)
            return None
        return call

    def _too_soon(self, since: float) -> str:
        """Return why a request shown since then cannot be decided on yet; "" if it can.

        While the terminal lags, the person may not have seen it.
        """
        is_late = self.screen.now() - since >= MIN_SECONDS_IN_VIEW
        is_seen = is_late and not is_behind(self.screen.app._driver)
        return "" if is_seen else "too soon: read the request first"

    def _show_request(self, call: ToolItem, unseen: int) -> None:
        """Bring a request into view, from its first unseen line on."""
        stream = self.screen.current_pane.stream
        card = stream.card_in_view(call)
        was_passed = card is not None and unseen < card.first
        if card is None or card.height <= card.room or was_passed:
            stream.show_card(call, unseen)
            card = stream.card_in_view(call)
        if card is None or card.height <= card.room:
            self.screen.remark("read the request first, then decide")
        else:
            self.screen.remark(f"press {self._key('page_down')} until you have seen all of it")

    def _key(self, action: str) -> str:
        return displayed(next(iter(self.screen.context.keys[action]), action))


def _line(text: str) -> str:
    return shorten(stream_safe(text), _LONGEST_OFFER)
