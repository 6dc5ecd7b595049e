"""One attempt at one ticket, in surroundings that deliver only when they are asked to settle."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lfgtui.agent.context import Decision
from lfgtui.agent.loop import Agent
from lfgtui.errors import ProviderError
from lfgtui.history.answers import AnswerCache
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import ToolResult, UserTurn
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.ticket_keys.approvals import ApprovalRule
from lfgtui.model.tickets import Ticket
from lfgtui.processes.sandbox.walls import UNCONFINED
from lfgtui.providers.base import Provider, Request, Stream
from lfgtui.settings.prices import ModelFacts
from lfgtui.settings.providers import Price
from lfgtui.tools.context_files import ContextFiles
from lfgtui.workspace.kept import TicketFiles
from tests.engine.harness import ticket

PRICE = Price(input=1_000_000.0, output=0.0)  # a dollar a token: any response costs something
READ = e.ToolCallRequested("1", "read_file", {"path": "x"})
WRITE = e.ToolCallRequested("1", "write_file", {"path": "x", "content": "1"})
LIST = e.ToolCallRequested("1", "list_files", {})
LONG = "true " * 2001 + "&& touch x"


def stopped(reason: str) -> e.TicketFailed:
    """The ending of an answer that the provider stopped."""
    message = f"the provider stopped the answer: {reason}"
    return e.TicketFailed("content_filter", message, retryable=False)


class Surroundings:
    """Events wait until `settle` folds them, as if that were the disk's doing."""

    ticket: Ticket

    def __init__(self, decision: Decision | None = None, *before: e.Event) -> None:
        self.transcript = Transcript()
        self.environment: dict[str, str] = {}
        self.secrets: frozenset[str] = frozenset()
        self.confinement = UNCONFINED
        self.kept: TicketFiles | None = None
        self.files = ContextFiles(())
        self.answers: AnswerCache | None = None
        self.is_seen: Callable[[], bool] | None = lambda: True
        self.seen: list[e.Event] = []
        self.unsettled_at_output: list[e.Event] = []
        self.held_while_asked = False
        self.approval_rules: list[ApprovalRule] = []
        self._decision = decision
        self._pending: list[e.Event] = []
        self._holding = False
        for event in before or (e.TicketQueued(), e.AttemptStarted("p", "m")):
            self.emit(event)

    def emit(self, event: e.Event) -> None:
        if isinstance(event, e.ToolOutputDelta):
            self.unsettled_at_output += self._pending
        self._pending.append(event)

    async def settle(self, *, saved: bool = False) -> None:
        for event in self._pending:
            self.seen.append(event)
            self.transcript.apply(e.Entry("run", "a", 1, len(self.seen), 0.0, event))
        self._pending.clear()

    async def hear(self) -> None:
        pass

    async def room(self) -> None:
        pass

    async def gate(self) -> None:
        pass

    async def take_slot(self, *, beside: bool = False) -> None:
        pass

    @property
    def can_ask(self) -> bool:
        return self._decision is not None

    def say(self, text: str) -> None:
        self.emit(e.UserMessage(text, origin="person"))

    def rules(self) -> list[ApprovalRule]:
        return self.approval_rules

    async def ask(self, call_id: str) -> Decision | None:
        self.held_while_asked = self._holding
        return self._decision

    @asynccontextmanager
    async def heard_by(self, stream: Stream) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def stoppable(self, *, anew: bool = False) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[Callable[[e.Event], None]]:
        yield lambda _: None

    async def changes_kept(self) -> None:
        pass

    @asynccontextmanager
    async def watching_command(self, command: str) -> AsyncIterator[None]:
        yield

    @contextmanager
    def holding_clock(self) -> Iterator[None]:
        self._holding = True
        yield
        self._holding = False

    def finished(self) -> list[e.ToolCallFinished]:
        return [event for event in self.seen if isinstance(event, e.ToolCallFinished)]

    def kinds(self) -> set[type[e.Event]]:
        return {type(event) for event in self.seen}


class Script:
    """A provider that says what no simulator can be brought to say, and keeps the requests."""

    def __init__(self, *responses: list[e.WireEvent]) -> None:
        self.requests: list[Request] = []
        self._responses = list(responses)

    async def stream(self, request: Request) -> AsyncGenerator[e.WireEvent, None]:
        self.requests.append(request)
        for event in self._responses.pop(0):
            yield event

    async def aclose(self) -> None:
        pass


def answer(stop_reason: str, *events: e.WireEvent) -> list[e.WireEvent]:
    return [*events, e.ResponseFinished(1, stop_reason)]


async def worked(
    mine: Ticket, provider: Provider, context: Surroundings, price: Price | None = None
) -> e.Ending:
    context.ticket, context.transcript.workspace = mine, mine.workspace
    ending = await Agent(context, "a", provider, facts=ModelFacts(price)).run(e.UserMessage("Go."))
    await context.settle()
    return ending


async def ending_of(
    folder: Path,
    *responses: list[e.WireEvent],
    context: Surroundings | None = None,
    price: Price | None = None,
    **keys: Any,  # of a ticket
) -> e.Ending:
    """The ending of a ticket to which a script answers."""
    context = context or Surroundings()
    return await worked(ticket("a", folder, **keys), Script(*responses), context, price)


DONE = e.TicketDone("end")
SORRY = answer("end", e.TextDelta("Sorry."))
BEGUN: tuple[e.Event, ...] = (
    e.TicketQueued(),
    e.AttemptStarted("p", "m"),
    e.UserMessage("Go."),
    e.RequestSent(1),
)


# Cost


@pytest.mark.parametrize(("price", "cost"), [(PRICE, 3.0), (None, None)])
async def test_usage_is_priced_where_a_price_is_known(
    tmp_path: Path, price: Price | None, cost: float | None
) -> None:
    context = Surroundings()
    await ending_of(tmp_path, answer("end", e.Usage(3, 5)), context=context, price=price)
    assert [event.cost for event in context.seen if isinstance(event, e.Usage)] == [cost]


@pytest.mark.parametrize(
    ("max_cost", "price", "is_limited"),
    [(0.5, PRICE, True), (1e9, PRICE, False), (1e-9, None, False)],
)
async def test_max_cost_stops_the_work_before_the_next_tool_runs(
    tmp_path: Path, max_cost: float, price: Price | None, is_limited: bool
) -> None:
    context = Surroundings()
    called = answer("tool_use", LIST, e.Usage(1, 1))
    ending = await ending_of(
        tmp_path, called, SORRY, context=context, price=price, max_cost=max_cost
    )
    assert ending == (e.TicketLimited("cost") if is_limited else DONE)
    assert len(context.finished()) == (not is_limited)


async def test_an_answer_is_done_whatever_it_cost(tmp_path: Path) -> None:
    dear = answer("end", e.Usage(1, 1))
    assert await ending_of(tmp_path, dear, price=PRICE, max_cost=0.5) == e.TicketDone("end")


async def test_the_cost_of_earlier_attempts_counts(tmp_path: Path) -> None:
    context = Surroundings(
        None,
        *BEGUN,
        e.Usage(1, 1, cost=2.0),
        e.Retrying("cut", 1.0, 2, "cut"),
        e.AttemptStarted("p", "m", continues=True),
    )
    assert await ending_of(tmp_path, context=context, max_cost=1.0) == e.TicketLimited("cost")


# Permission


@pytest.mark.parametrize(
    ("call", "keys", "error"),
    [
        (WRITE, {"approve": {"write_file": "deny"}}, "denied"),
        (LIST, {"approve": "deny"}, "denied"),
        (
            WRITE,
            {"tools": ["read_file", "list_files"], "approve": "auto"},
            "write_file is not among this ticket's tools: read_file, list_files",
        ),
        (e.ToolCallRequested("1", "delete_everything", {}), {}, "there is no tool"),
        (e.ToolCallRequested("1", "run_command", {"cmd": "touch x"}), {}, "run_command"),
        (e.ToolCallRequested("1", "run_command", '{"command": "touch x"} x'), {}, "run_command"),
        (e.ToolCallRequested("1", "run_command", {"command": LONG}), {}, "denied"),
        (
            e.ToolCallRequested("1", "edit_file", {"path": "x", "old": "a", "new": "b"}),
            *({}, 'there is no "x"'),
        ),
    ],
)
async def test_what_is_denied_or_cannot_run_is_answered_without_asking(
    tmp_path: Path, call: e.ToolCallRequested, keys: dict[str, Any], error: str
) -> None:
    """A question about nothing would only teach a person to say yes."""
    context = Surroundings(Decision("approve"))
    called = answer("tool_use", call)
    assert await ending_of(tmp_path, called, SORRY, context=context, **keys) == DONE
    (finished,) = context.finished()
    assert error in str(finished.error)
    assert e.ApprovalRequested not in context.kinds()
    assert not (tmp_path / "x").exists()


async def test_only_the_tickets_tools_are_offered(tmp_path: Path) -> None:
    script = Script(SORRY)
    await worked(ticket("a", tmp_path, tools=["list_files", "read_file"]), script, Surroundings())
    assert [tool.name for tool in script.requests[0].tools] == ["list_files", "read_file"]


async def test_a_request_says_if_its_ticket_is_in_view(tmp_path: Path) -> None:
    context, provider = Surroundings(), Script(SORRY)
    await worked(ticket("a", tmp_path), provider, context)
    assert provider.requests[0].is_seen is context.is_seen


async def test_the_tickets_clock_stands_while_a_person_thinks(tmp_path: Path) -> None:
    context = Surroundings(Decision("approve"))
    await ending_of(tmp_path, answer("tool_use", WRITE), SORRY, context=context)
    assert context.held_while_asked
    assert (tmp_path / "x").read_text() == "1"


async def test_a_call_is_delivered_before_it_runs(tmp_path: Path) -> None:
    context = Surroundings(Decision("approve"))
    called = answer("tool_use", e.ToolCallRequested("1", "run_command", {"command": "echo out"}))
    await ending_of(tmp_path, called, SORRY, context=context)
    assert e.ToolOutputDelta in context.kinds()
    assert {type(event) for event in context.unsettled_at_output} <= {
        e.ToolRunStarted,
        e.ToolOutputDelta,
    }


# Going on after an interruption


def interrupted(*calls: e.ToolCallRequested, reason: str = "tool_use") -> list[e.Event]:
    return [
        *BEGUN,
        *calls,
        e.ResponseFinished(1, reason),
        e.TicketInterrupted(),
        e.TicketQueued(),
        e.AttemptStarted("p", "m", continues=True),
    ]


async def test_the_call_that_was_stopped_is_answered_and_those_after_it_run(tmp_path: Path) -> None:
    first, second = (
        e.ToolCallRequested(name, "write_file", {"path": name, "content": "1"}) for name in "12"
    )
    context = Surroundings(None, *interrupted(first, second))
    script = Script(SORRY)
    mine = ticket("a", tmp_path, approve="auto")
    assert await worked(mine, script, context) == DONE
    assert [(f.call_id, f.error) for f in context.finished()] == [("1", "interrupted"), ("2", None)]
    assert ((tmp_path / "1").exists(), (tmp_path / "2").exists()) == (False, True)
    (request,) = script.requests
    results = [m for m in request.messages if isinstance(m, ToolResult)]
    assert [(result.call_id, result.failed) for result in results] == [("1", True), ("2", False)]
    assert "interrupted" in results[0].output
    assert request.turn == 2
    assert [m for m in request.messages if isinstance(m, UserTurn)] == [UserTurn("Go.")]


async def test_a_call_whose_arguments_were_not_stored_is_not_run(tmp_path: Path) -> None:
    """After a restart only the mark is known of what was to be written."""
    kept: e.ToolArguments = {"path": "x", "content": "T=[redacted: github token]"}
    context = Surroundings(None, *interrupted(READ, e.ToolCallRequested("2", "write_file", kept)))
    await ending_of(tmp_path, SORRY, context=context, approve="auto")
    assert context.finished()[1].error == "forgotten"
    assert not (tmp_path / "x").exists()


# Endings


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        ("refusal", stopped("refusal")),
        ("content_filter", stopped("content filter")),
        ("length", e.TicketLimited("tokens")),
        ("max_turn_requests", e.TicketLimited("turns")),
        ("end", DONE),
        ("stop_sequence", e.TicketDone("stop_sequence")),
        ("something_new", e.TicketDone("something_new")),
    ],
)
async def test_a_ticket_ends_as_its_answer(tmp_path: Path, reason: str, ending: e.Ending) -> None:
    assert await ending_of(tmp_path, answer(reason, e.TextDelta("I can"))) == ending


async def test_calls_run_whatever_the_reason_to_stop_was(tmp_path: Path) -> None:
    context = Surroundings()
    assert await ending_of(tmp_path, answer("end", LIST), SORRY, context=context) == DONE
    assert [finished.error for finished in context.finished()] == [None]


async def test_a_request_that_fails_is_the_engines_to_judge(tmp_path: Path) -> None:
    class Busy(Script):
        async def stream(self, request: Request) -> AsyncGenerator[e.WireEvent, None]:
            yield e.Heartbeat()
            raise ProviderError("overloaded", "busy")

    context = Surroundings()
    with pytest.raises(ProviderError, match="busy"):
        await worked(ticket("a", tmp_path), Busy(), context)
    await context.settle()
    assert context.transcript.state == "waiting"


async def test_a_provider_that_pauses_for_its_own_tools_is_asked_on(tmp_path: Path) -> None:
    provider = Script(answer("pause_turn", e.TextDelta("I search.")), answer("end"))
    assert await worked(ticket("a", tmp_path), provider, Surroundings()) == DONE
    assert [len(request.messages) for request in provider.requests] == [1, 2]
    still = [answer("pause_turn", e.TextDelta("Still."))] * 2
    assert await ending_of(tmp_path, *still, max_turns=2) == e.TicketLimited("turns")


@pytest.mark.parametrize(("more", "is_remarked"), [((), True), ((e.TextDelta("So."),), False)])
async def test_a_call_that_was_only_written_is_remarked_on(
    tmp_path: Path, more: tuple[e.TextDelta, ...], is_remarked: bool
) -> None:
    call = e.ToolCallStarted("t1", "search", origin="text")
    context = Surroundings()
    await ending_of(tmp_path, answer("end", call, *more), context=context)
    remarks = [event.message for event in context.seen if isinstance(event, e.Status)]
    assert ["it was not run" in remark for remark in remarks] == [True] * is_remarked


@pytest.mark.parametrize("reason", ["length", "content_filter", "error", "MALFORMED_FUNCTION_CALL"])
@pytest.mark.parametrize("is_resumed", [False, True])
async def test_a_broken_response_runs_none(tmp_path: Path, reason: str, is_resumed: bool) -> None:
    write = msgspec.structs.replace(WRITE, call_id="2")
    before = interrupted(READ, write, reason=reason) if is_resumed else []
    context = Surroundings(None, *before)
    responses = [SORRY] if is_resumed else [answer(reason, WRITE), SORRY]
    await ending_of(tmp_path, *responses, context=context, approve="auto")
    assert context.finished()[-1].error == "not run"
    assert not (tmp_path / "x").exists()


# Questions


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ("$ touch [redacted: key]", "what looks like a secret"),
        ("$ true", "approval card did not match"),
    ],
)
async def test_what_was_shown_otherwise_does_not_run(tmp_path: Path, shown: str, why: str) -> None:
    """Whatever changed the question on its way to the card, the answer is to another one."""

    class Blotting(Surroundings):
        def emit(self, event: e.Event) -> None:
            if isinstance(event, e.ApprovalRequested):
                event = e.ApprovalRequested(event.call_id, event.name, shown)
            super().emit(event)

    context = Blotting(Decision("approve"))
    command = e.ToolCallRequested("1", "run_command", {"command": "touch x"})
    called = answer("tool_use", command)
    await ending_of(tmp_path, called, called, SORRY, context=context)
    assert [finished.error for finished in context.finished()] == ["denied", "denied"]
    assert all(why in finished.output for finished in context.finished())
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("is_made_meanwhile", [False, True])
async def test_a_link_is_followed_only_where_the_question_names_its_target(
    tmp_path: Path, is_made_meanwhile: bool
) -> None:
    target, link = tmp_path / "Makefile", tmp_path / "notes.txt"
    target.write_text("all:\n")

    class Swapping(Surroundings):
        async def ask(self, call_id: str) -> Decision | None:
            await asyncio.to_thread(link.symlink_to, "Makefile")
            return await super().ask(call_id)

    if not is_made_meanwhile:
        link.symlink_to("Makefile")
    context = (Swapping if is_made_meanwhile else Surroundings)(Decision("approve"))
    write = e.ToolCallRequested("1", "write_file", {"path": "notes.txt", "content": "x\n"})
    await ending_of(tmp_path, answer("tool_use", write), SORRY, context=context)
    (asked,) = (event for event in context.seen if isinstance(event, e.ApprovalRequested))
    through = "" if is_made_meanwhile else ", through a link to Makefile"
    does = "create notes.txt (1 line)" if is_made_meanwhile else "overwrite notes.txt (+1 −1)"
    assert asked.summary == f"{does}{through}"
    assert target.read_text() == ("all:\n" if is_made_meanwhile else "x\n")


async def test_a_tool_that_there_is_not_can_be_called_in_circles_too(tmp_path: Path) -> None:
    call = e.ToolCallRequested("1", "compact_context", {})  # the name of a question of lfg's own
    script = Script(*(answer("tool_use", call) for _ in range(3)), answer("end"))
    context = Surroundings(Decision("deny"))
    await worked(ticket("a", tmp_path), script, context)
    assert [done.error for done in context.finished()][2] == "denied"
    results = [m for m in script.requests[-1].messages if isinstance(m, ToolResult)]
    assert len(results) == 3 and "do something else" in results[2].output


@pytest.mark.parametrize(("cost", "remarks"), [(None, 1), (0.1, 0)])
async def test_a_limit_on_cost_without_a_price_is_remarked_on(
    tmp_path: Path, cost: float | None, remarks: int
) -> None:
    context, used = Surroundings(), e.Usage(10, 10, cost=cost)
    script = Script(answer("tool_use", LIST, used), answer("end", e.TextDelta("."), used))
    await worked(ticket("a", tmp_path, max_cost=5.0), script, context)
    said = [one for one in context.seen if isinstance(one, e.Status)]
    assert len([one for one in said if "max_cost has no effect" in one.message]) == remarks
