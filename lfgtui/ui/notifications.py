"""Notifications: to a person who looks elsewhere, once for each cause.

A cause is that a ticket newly needs a person, or that the run has ended. Causes
that arise while the person looks count as seen. The terminal reports whether
somebody looks; if it does not (tmux, unless `focus-events` is on), somebody looks
if a key came within the last minute.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from threading import Thread

from textual import events
from textual.message import Message

from lfgtui.model.fold.states import IN_WORDS
from lfgtui.settings.config import NotifyPolicy, NotifyVia
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.attention import REASONS, Attention, Reason
from lfgtui.ui.programs import run_program
from lfgtui.ui.run_view import LiveRun

PRESENCE = 60.0
"""Seconds after a key in which somebody is taken to look, if focus is not reported."""

_PATIENCE = 10.0
"""Seconds that a command or a webhook may take."""

_LONGEST = 200
"""Most characters of a notification."""

# What follows the ticket's id in a notification; each `Reason` needs its words.
_WORDS: Mapping[Reason, str] = {
    "question": "has a question",
    "choice": "and the other copies wait for your choice",
    "run_limit": "is held: the run reached a limit",
    "stalled": "is stalled",
    "held": "was stopped by a guard",
    "guard": "was flagged by a guard",
    "conflict": "is in a conflict",
    **{reason: IN_WORDS[state] for state, reason in REASONS.items()},
}


class Presence:
    """True while somebody looks at the terminal."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._has_focus: bool | None = None
        self._pressed_at = clock()

    def note(self, message: Message) -> None:
        """Note a key, or the terminal's report that it got or lost the focus."""
        if isinstance(message, events.Key):
            self._pressed_at = self._clock()
        elif isinstance(message, events.AppFocus | events.AppBlur):
            self._has_focus = isinstance(message, events.AppFocus)

    def __bool__(self) -> bool:
        if self._has_focus is not None:
            return self._has_focus
        return self._clock() - self._pressed_at < PRESENCE


class Notifier:
    """Notifies a person who looks elsewhere of each cause once.

    The app calls `update` regularly, and passes keys and focus events to `presence`. `write`
    writes a sequence to the terminal, `work` runs a coroutine, and `complain` shows a failure.
    """

    def __init__(
        self,
        policy: NotifyPolicy,
        clock: Callable[[], float],
        *,
        write: Callable[[str], None],
        work: Callable[[Coroutine[None, None, None]], object],
        complain: Callable[[str], None],
    ) -> None:
        self.presence = Presence(clock)
        self._policy = policy
        self._write, self._work, self._complain = write, work, complain
        self._known: set[tuple[str, Attention]] = set()
        self._had_ended = True  # a run that has not begun does not end now

    def update(self, run: LiveRun, needs: Mapping[str, Sequence[Attention]]) -> None:
        """Notify of new causes in the run; the tickets in `needs` need a person."""
        causes = {(ticket, reason) for ticket, reasons in needs.items() for reason in reasons}
        new = sorted(causes - self._known, key=lambda cause: (cause[0], cause[1].rank))
        told = [f"“{ticket}” {_words(reason)}" for ticket, reason in new]
        has_ended = not run.unfinished
        if has_ended and not self._had_ended:
            told.append("the run has ended")
        self._known, self._had_ended = causes, has_ended
        if told and not self.presence:
            text = visible_line(" · ".join(told))[:_LONGEST]
            self._write(sequence(self._policy.via, text, in_tmux="TMUX" in os.environ))
            if self._policy.command or self._policy.webhook:
                self._work(self._notify_elsewhere(run.run, text))

    async def _notify_elsewhere(self, run: str, text: str) -> None:
        for failure in await notify_elsewhere(self._policy, run, text):
            self._complain(failure)


def _words(attention: Attention) -> str:
    missing = f" (no {attention.missing})" if attention.missing else ""
    conflict = f": {attention.conflict}" if attention.conflict else ""
    return _WORDS[attention.reason] + missing + conflict


def sequence(via: NotifyVia, text: str, *, in_tmux: bool) -> str:
    """Return the bytes that have a terminal show the text; "" for `off`.

    https://iterm2.com/documentation-escape-codes.html (OSC 9), urxvt's OSC 777, and
    https://sw.kovidgoyal.net/kitty/desktop-notifications/ (OSC 99). tmux passes them on
    if its `allow-passthrough` is on.
    """
    match via:
        case "off":
            return ""
        case "bell":
            return "\a"
        case "osc9":
            whole = f"\x1b]9;{text}\a"
        case "osc777":
            whole = f"\x1b]777;notify;lfg;{text}\a"
        case "osc99":
            whole = f"\x1b]99;i=lfg:d=0;lfg\x1b\\\x1b]99;i=lfg:p=body;{text}\x1b\\"
    return f"\x1bPtmux;{whole.replace(chr(27), chr(27) * 2)}\x1b\\" if in_tmux else whole


async def notify_elsewhere(policy: NotifyPolicy, run: str, text: str) -> Sequence[str]:
    """Run the command and call the webhook, side by side; return failures in words."""
    ways = {"command": run_command(policy, text), "webhook": call_webhook(policy, run, text)}
    errors = await asyncio.gather(*ways.values(), return_exceptions=True)
    return [
        f"cannot notify by {way}: {str(error) or type(error).__name__}"
        for way, error in zip(ways, errors, strict=True)
        if error is not None
    ]


async def run_command(policy: NotifyPolicy, text: str) -> None:
    """Run the person's command with the text; raises `OSError`."""
    if policy.command and (fault := await run_program((*policy.command, text), "", _PATIENCE)):
        raise OSError(fault)


async def call_webhook(policy: NotifyPolicy, run: str, text: str) -> None:
    """Post the text as JSON; raises `OSError`, `TimeoutError`.

    Errors never contain the address, which may be a secret. A thread does it all, since the
    client is slow to begin; lfg does not wait for it at its end.
    """
    if policy.webhook:
        message = {"title": "lfg", "run": run, "text": text}
        posted = Future[str]()
        Thread(target=_post, args=(policy.webhook, message, posted), daemon=True).start()
        if fault := await asyncio.wait_for(asyncio.wrap_future(posted), _PATIENCE):
            raise OSError(fault)


def _post(url: str, message: Mapping[str, str], posted: "Future[str]") -> None:
    """Post the message; `posted` gets the failure in words, "" if there is none."""
    if not posted.set_running_or_notify_cancel():
        return
    try:
        from httpx import post  # most have no webhook, and the first frame does without

        answer = post(url, json=message, timeout=_PATIENCE)
        posted.set_result("" if answer.is_success else f"HTTP {answer.status_code}")
    except Exception as error:
        posted.set_result(type(error).__name__)
