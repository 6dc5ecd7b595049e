"""What a case is: a misbehaviour by its name, and what must come of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lfgtui.settings.providers import WireName
from tests.hostile.wires import WIRES, Wire

if TYPE_CHECKING:
    from tests.hostile.session import Session

ALL: tuple[WireName, ...] = tuple(WIRES)
HTTP: tuple[WireName, ...] = ("anthropic", "openai-chat", "openai-responses", "agent-sse")
MODELS: tuple[WireName, ...] = ("anthropic", "openai-chat", "openai-responses")
AGENTS: tuple[WireName, ...] = ("agent-sse", "agent-websocket")
ONE: tuple[WireName, ...] = ("openai-chat",)
"""For what has nothing to do with the wire."""


WORDS = [f"w{number:04}" for number in range(120)]
"""What the healthy server says, one after the other."""

WHOLE = " ".join(WORDS) + " "
"""All of it."""


class Pause(NamedTuple):
    """Nothing is sent for so many seconds."""

    seconds: float


class Note(NamedTuple):
    """The server reports that it sends this word now."""

    word: str


Step: TypeAlias = bytes | Pause | Note | Literal["close", "reset", "half-close", "silence"]
"""What the server does next; after the last step it closes."""

Play: TypeAlias = Callable[[Wire], Iterable[Step]]
Act: TypeAlias = Callable[["Session"], None]
Look: TypeAlias = Callable[["Aftermath"], Iterable[str]]


class Aftermath(NamedTuple):
    """What a case left.

    `ticket` is its object in `lfg show --json`, `neighbour` the stored
    answer of the healthy one, `written` all that came to the terminal, `requests`
    how often each case was asked for, `code` the exit code.
    """

    ticket: Mapping[str, object]
    neighbour: str
    workspace: Path
    written: bytes
    requests: Mapping[str, int]
    code: int | None


class Case(NamedTuple):
    """A misbehaviour. `ends` are states the ticket may end in, or `failed:KIND`.

    `keys` are the ticket's own in the tickets file. `act` is done to the
    program while the ticket runs, in place of the server's misbehaving or
    along with it; `look` says what is wrong afterwards. `sees_all` is False
    where the harness itself makes the terminal or the history unusable, so
    that neither lag nor the stored text can be judged. `hides` is True where the
    panes are out of sight while it acts, so that lag counts from its end. `is_cut`
    is True where the terminal never gets the rest of what it is sent.
    """

    name: str
    description: str
    play: Play
    wires: tuple[WireName, ...]
    ends: frozenset[str]
    keys: Mapping[str, object]
    act: Act | None
    look: Look | None
    sees_all: bool
    hides: bool
    is_cut: bool


CASES: dict[str, Case] = {}


def case(
    *ends: str,
    wires: tuple[WireName, ...] = ALL,
    keys: Mapping[str, object] | None = None,
    act: Act | None = None,
    look: Look | None = None,
    sees_all: bool = True,
    hides: bool = False,
    is_cut: bool = False,
) -> Callable[[Play], Play]:
    """Enter the function below among the cases; it plays the server's side."""

    def enter(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        description = " ".join((play.__doc__ or "").split())
        assert description and name not in CASES, name
        CASES[name] = Case(
            *(name, description, play, wires, frozenset(ends), keys or {}),
            *(act, look, sees_all, hides, is_cut),
        )
        return play

    return enter


def enter_as(name: str, description: str, play: Play, enter: Callable[[Play], Play]) -> None:
    """Enter a row of a table among the cases, under its name."""

    def named(wire: Wire) -> Iterable[Step]:
        return play(wire)

    named.__name__, named.__doc__ = name, description
    enter(named)


def repeated(begin: bytes, records: bytes) -> Iterator[Step]:
    """The records again and again, without end."""
    yield begin
    while True:
        yield records


def chosen(only: str, wire: str | None, *, is_quick: bool) -> Iterator[tuple[Case, WireName]]:
    """The cases whose name holds one of the words in `only`, each with its wires."""
    words = [word for word in only.split(",") if word]
    for number, one in enumerate(CASES.values()):
        if words and not any(word in one.name for word in words):
            continue
        wires = [name for name in one.wires if wire in (None, name)]
        if is_quick and wires:  # each time another, so that none is left out
            wires = [wires[number % len(wires)]]
        yield from ((one, name) for name in wires)
