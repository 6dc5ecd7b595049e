"""`guards`: rules for what streams, as a person writes them in the config or in a tickets file.

`agent/guards.py` reads the stream by them, `engine/ticket/guarding.py` acts on what it finds.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from lfgtui.text.matching import Matcher
from lfgtui.text.patterns import MOST_STEPS, PatternError, phrase_pattern

Channel: TypeAlias = Literal["text", "reasoning", "arguments", "output"]
"""The texts that guards look at: answers, reasoning, arguments of calls, their output."""
GuardAction: TypeAlias = Literal["flag", "pause", "cancel", "redact"]

SECRETS = "secrets"
"""The name of the built-in guard, which looks for API keys and the like."""


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule: what it looks for, where (`on`), in which tickets (() for all), and its `action`.

    It has either `match`, a regular expression, or `phrase`, words; the built-in guard has neither
    and is the only one that can be `off`.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    match: str | None = None
    phrase: str | None = None
    on: Annotated[tuple[Channel, ...], msgspec.Meta(min_length=1)] = get_args(Channel)
    action: GuardAction | Literal["off"] = "flag"
    tickets: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """The regular expression to look for, in the dialect of `text/patterns.py`."""
        return phrase_pattern(self.phrase or "") if self.match is None else self.match


def in_force(config: Iterable[Guard], own: Iterable[Guard], *names: str) -> tuple[Guard, ...]:
    """Return a ticket's guards: those of the config for these names, and all of its own.

    `names` are the ticket's id and the one it has in its file. The built-in guard is added unless
    the config sets it.
    """
    configured = [*config]
    if not any(guard.name == SECRETS for guard in configured):
        configured.insert(0, Guard(SECRETS))
    applied = (guard for guard in configured if guard.action != "off" and is_for(guard, *names))
    return (*applied, *own)


def is_for(guard: Guard, *names: str) -> bool:
    """Return True if the guard is for a ticket with one of these names."""
    return not guard.tickets or any(name in guard.tickets for name in names)


def guard_mistakes(guards: Sequence[Guard], *, of_config: bool) -> Iterator[tuple[int, str, str]]:
    """Yield the mistakes: each guard's index, the key, and a message that says what is wrong."""
    names = [guard.name for guard in guards]
    steps = 0
    for index, guard in enumerate(guards):
        if guard.name in names[:index]:
            yield index, "name", f'guard "{guard.name}": there is another of that name'
        if guard.name == SECRETS:
            if not of_config:
                yield index, "name", f'guard "{SECRETS}" is built in; it is set in the config'
            if guard.match is not None or guard.phrase is not None:
                key = "match" if guard.match is not None else "phrase"
                yield index, key, f'guard "{SECRETS}" is built in; it takes no "{key}"'
            continue
        if guard.action == "off":
            yield index, "action", f'guard "{guard.name}": only "{SECRETS}" can be "off"'
        if (guard.match is None) == (guard.phrase is None):
            yield index, "name", f'guard "{guard.name}" needs either "match" or "phrase"'
        elif guard.phrase is not None and not guard.phrase.strip():
            yield index, "phrase", f'guard "{guard.name}": the phrase is empty'
        else:
            try:
                steps += Matcher([guard.pattern]).size
                if steps > MOST_STEPS:
                    many = f"more than {MOST_STEPS:,} steps"
                    raise PatternError(
                        f"together with the guards before it, {many}; shorten a pattern"
                    )
            except PatternError as error:
                key = "match" if guard.match is not None else "phrase"
                yield index, key, f'guard "{guard.name}": {error}'
