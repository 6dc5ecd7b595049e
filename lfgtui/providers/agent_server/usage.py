"""Tokens of an agent's run, which may ask several models several times."""

from lfgtui.model.events import Usage
from lfgtui.providers.agent_server.fields import total


class Tally:
    """Adds up what each model response reported; a total the server says itself replaces that."""

    def __init__(self) -> None:
        self._counts: dict[str, Usage] = {}
        self._total: Usage | None = None
        self._key = ""

    def add(self, key: str, usage: Usage, *, is_total: bool = False) -> Usage:
        """The run's tokens so far. `key` names the response, "" where the last one is meant."""
        if is_total:
            self._total = usage
            return usage
        self._key = key or self._key
        # One response reports more than once, each time as far as it got.
        before = self._counts.get(self._key, Usage(0, 0))
        self._counts[self._key] = Usage(
            max(before.input, usage.input),
            max(before.output, usage.output),
            max(before.cached, usage.cached),
        )
        return self._total or total(list(self._counts.values()))
