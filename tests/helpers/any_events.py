"""Any event, and any legal life of a ticket, for tests of rules that hold for all."""

from collections.abc import Callable
from types import UnionType
from typing import Literal, Union, cast, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from lfgtui.model import events as e
from lfgtui.model.event_json import EVENTS
from lfgtui.model.fold.states import MOVES, StateMachine
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.ticket_keys.context import ContextFile

KINDS = EVENTS

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
call_ids = st.sampled_from(["one", "two", "three"])
numbers = st.floats(0, 1000)


def of_type(annotation: object) -> st.SearchStrategy[object]:
    """Values of a field's type, as JSON could bring them."""
    if annotation == dict[str, object]:
        return st.dictionaries(st.text(max_size=5), json_values, max_size=3)
    if annotation == dict[str, str]:
        return st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=3)
    if annotation == dict[str, int]:
        return st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3)
    origin = get_origin(annotation)
    if origin is Literal:
        return st.sampled_from(get_args(annotation))
    if origin in (Union, UnionType):
        return st.one_of(*map(of_type, get_args(annotation)))
    if origin is tuple and get_args(annotation)[-1] is not ...:
        return st.tuples(*map(of_type, get_args(annotation)))
    if origin is list:
        return st.lists(of_type(get_args(annotation)[0]), max_size=3)
    if origin is tuple:
        return st.lists(of_type(get_args(annotation)[0]), max_size=3).map(tuple)
    if annotation in (ApprovalRule, e.ApprovalOption, e.PlanStep, ContextFile):
        hints = get_type_hints(annotation)
        made = cast(Callable[..., object], annotation)
        return st.builds(made, **{name: of_type(hint) for name, hint in hints.items()})
    plain: dict[object, st.SearchStrategy[object]] = {
        str: st.text(max_size=8),
        int: st.integers(0, 10**6),
        float: numbers,
        bool: st.booleans(),
        type(None): st.none(),
        UnsetType: st.just(UNSET),
    }
    return plain[annotation]


def of_kind(kind: type[e.Event]) -> st.SearchStrategy[e.Event]:
    """Events of one kind; calls have one of few ids, so that they meet again."""
    fields = {
        name: call_ids if name == "call_id" else of_type(hint)
        for name, hint in get_type_hints(kind).items()
        if name in kind.__struct_fields__
    }
    return st.builds(cast(Callable[..., e.Event], kind), **fields)


BY_KIND = {kind: of_kind(kind) for kind in KINDS}
any_event: st.SearchStrategy[e.Event] = st.one_of(*BY_KIND.values())
DELTAS = [kind for kind in EVENTS if kind.facets.is_piece]
deltas: st.SearchStrategy[e.Event] = st.one_of(*(BY_KIND[kind] for kind in DELTAS))


def legal(machine: StateMachine) -> list[type[e.Event]]:
    """The kinds of events that may come next."""
    return [kind for kind, (allowed, _) in MOVES.items() if machine.state in allowed]


@st.composite
def lives(draw: st.DrawFn) -> list[e.Event]:
    """A legal sequence of events, from queued to wherever it gets.

    Deltas come in runs, and ends are rarer than they would be by chance.
    """
    machine = StateMachine()
    life: list[e.Event] = []
    for _ in range(draw(st.integers(1, 25))):
        kinds = legal(machine)
        going_on = [kind for kind in kinds if kind not in e.Ending.__subclasses__()]
        may_end = draw(st.integers(0, 9)) == 0
        if going_on and not may_end:
            kinds = going_on
        kind = draw(st.sampled_from(kinds))
        repeats = draw(st.integers(1, 3)) if kind.__name__.endswith("Delta") else 1
        for _ in range(repeats):
            life.append(draw(BY_KIND[kind]))
            machine.apply(life[-1])
    return life


def entries(events: list[e.Event], *, gap: float = 1.0) -> list[e.Entry]:
    """The events as entries of one ticket, `gap` seconds apart."""
    attempt = 0
    made = []
    for place, event in enumerate(events):
        attempt += isinstance(event, e.AttemptStarted)
        made.append(e.Entry("run", "a", attempt, place + 1, 1000.0 + place * gap, event))
    return made
