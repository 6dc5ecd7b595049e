"""Notifications: to a person who looks elsewhere, once for each cause.

A cause is that a ticket newly needs a person, or that the run has ended. What
happens while the person looks is seen, and never told later. Whether somebody
looks the terminal reports; one that does not (tmux, unless `focus-events` is
on) is looked at if a key came within the last minute.
"""

import asyncio
from collections.abc import Callable, Mapping
from subprocess import DEVNULL

from textual import events
from textual.message import Message

from lfgtui.model.attention import Attention, Reason
from lfgtui.settings.config import NotifyPolicy, NotifyVia
from lfgtui.text.terminal_safe import visible_line

PRESENCE = 60.0
"""Seconds after a key for which a person is taken to look, where focus is not reported."""

_PATIENCE = 10.0
"""Seconds that a command or a webhook may take."""

_LONGEST = 200
"""Characters of a notification."""

_WORDS: Mapping[Reason, str] = {
    "approval": "needs approval",
    "question": "has a question",
    "failed": "failed",
    "stalled": "is stalled",
    "conflict": "changed a file that another ticket changed",
    "limit": "reached a limit",
    "blocked": "is blocked",
    "interrupted": "was interrupted",
}


class Presence:
    """Whether somebody looks at the terminal."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._has_focus: bool | None = None
        self._pressed_at = clock()

    def note(self, message: Message) -> None:
        """Take note of a key, or of the terminal's report that it has or lost the focus."""
        if isinstance(message, events.Key):
            self._pressed_at = self._clock()
        elif isinstance(message, events.AppFocus | events.AppBlur):
            self._has_focus = isinstance(message, events.AppFocus)

    def __bool__(self) -> bool:
        if self._has_focus is not None:
            return self._has_focus
        return self._clock() - self._pressed_at < PRESENCE


class Causes:
    """The causes so far: each is new once."""

    def __init__(self) -> None:
        self._known: set[tuple[str, Attention]] = set()
        self._had_ended = True  # before it has begun

    def new(self, needs: Mapping[str, Attention], *, has_ended: bool) -> str:
        """Return in words what is new; "" if nothing is."""
        causes = set(needs.items())
        told = [f"{ticket} {_WORDS[need.reason]}" for ticket, need in sorted(causes - self._known)]
        if has_ended and not self._had_ended:
            told.append("the run has ended")
        self._known, self._had_ended = causes, has_ended
        return visible_line(" · ".join(told))[:_LONGEST]


def sequence(via: NotifyVia, text: str, *, in_tmux: bool) -> str:
    """Return the bytes that have a terminal show the text; "" for `off`.

    https://iterm2.com/documentation-escape-codes.html (OSC 9), urxvt's OSC 777, and
    https://sw.kovidgoyal.net/kitty/desktop-notifications/ (OSC 99). tmux hands them on
    where its `allow-passthrough` is on.
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


async def run_command(policy: NotifyPolicy, text: str) -> None:
    """Run the person's command with the text; raises `OSError`, `TimeoutError`."""
    if policy.command:
        process = await asyncio.create_subprocess_exec(
            *policy.command, text, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE)
        except BaseException:
            process.kill()
            raise


async def call_webhook(policy: NotifyPolicy, run: str, text: str) -> None:
    """Post the text as JSON; raises `httpx.HTTPError`."""
    if policy.webhook:
        from httpx import AsyncClient  # most have no webhook, and the first frame does without

        async with AsyncClient(timeout=_PATIENCE) as client:
            message = {"title": "lfg", "run": run, "text": text}
            (await client.post(policy.webhook, json=message)).raise_for_status()
