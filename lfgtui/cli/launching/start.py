"""The start screen of the working folder: what can be run there, and what was chosen."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lfgtui.cli.launching.launch import Plan, check_providers, file_tickets, prompt_tickets
from lfgtui.cli.launching.past_runs import reader
from lfgtui.cli.launching.screen import browse
from lfgtui.errors import LfgError, SourceError
from lfgtui.model.tickets_file import TicketsFile, load_tickets
from lfgtui.settings.config import Config, installed_agents, route_of
from lfgtui.text.terminal_safe import visible_line
from lfgtui.ui.screens.base import ScreenContext
from lfgtui.ui.start import Choice, Found, FoundFile, StartScreen

_TICKET = re.compile(rb"^\s*\[\[\s*ticket\s*\]\]", re.MULTILINE)  # a line with [[ticket]]

_MOST_BYTES = 1 << 20
"""Larger files are not listed, since every listed file is read at once."""


class Folder:
    """The choice of what to run in the working folder: its tickets files, or a prompt.

    `provider` and `model` are the command line's. Raises `UsageError` for a provider that is not
    configured. The start screen calls `find` and `check` in threads.
    """

    def __init__(
        self, config: Config, provider: str | None = None, model: str | None = None
    ) -> None:
        if provider is not None:
            config.provider(provider)
        self._config = config
        self._given = (provider, model)

    def choose(self) -> tuple[int, str | None, Choice | None]:
        """Show the start screen; return its exit code, the run to resume, and what was chosen."""
        name = visible_line(str(Path.cwd()))
        chosen: list[Choice] = []

        def first_screen(context: ScreenContext) -> StartScreen:
            return StartScreen(context, reader, name, self.find, self.check, chosen.append)

        code, resumes = browse(self._config, first_screen)
        return code, resumes, chosen[-1] if chosen else None

    def tickets(self, choice: Choice) -> TicketsFile:
        """Return the tickets of the chosen file, or the ticket of the prompt."""
        if choice.file is not None:
            return file_tickets(choice.file, self._config, *self._given)
        provider, model = (None, choice.model) if choice.model else self._given
        return prompt_tickets(choice.prompt or "", self._config, provider, [model])

    def find(self) -> Found:
        """Read the tickets files, those with a problem last. Blocks: call it in a thread."""
        files = sorted(map(self._examine, _tickets_files()), key=lambda file: bool(file.problem))
        return Found(files, *self._models())

    def check(self, choice: Choice) -> None:
        """Raise `LfgError` if the choice cannot be run. Blocks: call it in a thread."""
        if choice != Choice():
            tickets = self.tickets(choice)
            check_providers(Plan(tickets.title, tickets.tickets, self._config))

    def _models(self) -> tuple[Sequence[str], str]:
        """Return the models for a prompt: the configured one, or else all installed agents.

        If there is none, the string says what is missing.
        """
        prompt = Choice(prompt="")
        is_open = self._given == (None, None) and not self._config.model
        if is_open and (agents := installed_agents(self._config)):
            return agents, ""
        try:
            self.check(prompt)
        except LfgError as error:
            return (), str(error)
        return [str(route_of(self._config, self.tickets(prompt).tickets[0]))], ""

    def _examine(self, path: Path) -> FoundFile:
        """Read a tickets file and check whether it could run; its problem is "" if it could."""
        count, title, problem = 0, "", ""
        try:
            file = load_tickets(path)
            count, title = len(file.tickets), file.title
            self.check(Choice(path))
        except LfgError as error:
            problem = str(error)
            if isinstance(error, SourceError) and error.path == path:
                problem = f"line {error.line}: {error.message}" if error.line else error.message
        return FoundFile(path, count, title, problem)


def _tickets_files() -> Iterator[Path]:
    """Yield the current folder's TOML files that have tickets or a name like `tickets.toml`."""
    for path in sorted(Path().glob("*.toml")):
        with suppress(OSError):  # it has just been deleted, or may not be read
            if path.is_file() and path.stat().st_size <= _MOST_BYTES:
                is_named = path.name.endswith("tickets.toml")
                if is_named or _TICKET.search(path.read_bytes()):
                    yield path
