"""Copying: by a program if the person sits at this machine, otherwise by the terminal.

A program's exit says that it took the text. A terminal says nothing: it may obey the
escape sequence (OSC 52) or ignore it. Over SSH only the terminal knows the person's
clipboard.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from textual.app import App

from lfgtui.text.terminal_safe import visible
from lfgtui.ui.programs import run_program

_PATIENCE = 2.0
"""Seconds that a program may take."""

_COMMANDS: Sequence[tuple[str, Sequence[str]]] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
"""The variable of the display that a command needs, and the command."""


def copy_commands(environment: Mapping[str, str], platform: str) -> Sequence[Sequence[str]]:
    """Return the commands that copy their input on this machine, if the person sits at it."""
    if any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")):
        return ()
    if platform == "darwin":
        return (("pbcopy",),)
    return [command for display, command in _COMMANDS if environment.get(display)]


class Copying(App[int], inherit_bindings=False):
    """An app that copies, and says whether that worked, as far as is known."""

    def copy_to_clipboard(self, text: str) -> None:
        """Copy the visible text: pasted into a shell, an escape sequence would act."""
        self._clipboard = visible(text.replace("\r\n", "\n"))
        self.run_worker(self._copy(self._clipboard), group="copy", exclusive=True)

    async def _copy(self, text: str) -> None:
        """Copy with the first program that is installed; if it fails, or none is, by OSC 52."""
        amount = f"{len(text):,} character{'s' * (len(text) != 1)}"
        failure = ""
        for command in copy_commands(os.environ, sys.platform):
            with suppress(FileNotFoundError):
                if failure := await run_program(command, text, _PATIENCE):
                    failure += ": "
                    break
                self.notify(f"{amount} copied with {command[0]}", timeout=2)
                return
        super().copy_to_clipboard(text)
        self.notify(f"{failure}{amount} sent to the terminal's clipboard", timeout=3)
