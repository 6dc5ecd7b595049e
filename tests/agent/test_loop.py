"""One attempt at one ticket, in surroundings that deliver only when they are asked to settle."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from lfgtui.agent.context import Decision
from lfgtui.agent.loop import Agent
from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.model.conversation import ToolResult, UserTurn
from lfgtui.model.tickets import Ticket
from lfgtui.model.transcript import Transcript
from lfgtui.providers.base import Provider, Request
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Price
from lfgtui.simulator.scenario import Scenario
from lfgtui.simulator.server import Settings, running
from tests.engine.harness import calls, configured, says, scenario, ticket

PRICE = Price(input=1_000_000.0, output=0.0)  # a dollar a token: any response costs something
READ = e.ToolCallRequested("1", "read_file", {"path": "x"})
WRITE = e.ToolCallRequested("1", "write_file", {"path": "x", "content": "1"})


class Surroundings:
    """Events wait until `settle` folds them, as if that were the disk's doing."""

    ticket: Ticket

    def __init__(self, decision: Decision | None = None, *before: e.Event) -> None:
        self.transcript = Transcript()
        self.always: set[str] = set()
        self.environment: dict[str, str] = {}
        self.secrets: frozenset[str] = frozenset()
        self.seen: list[e.Event] = []
        self.unsettled_at_output: list[e.Event] = []
        self.held_while_asked = False
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

    async def room(self) -> None:
        pass

    async def gate(self) -> None:
        pass

    async def ask(self, call_id: str) -> Decision | None:
        self.held_while_asked = self._holding
        return self._decision

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[Callable[[], None]]:
        yield lambda: None

    def file_changed(self, file: Path) -> None:
        pass

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


@asynccontextmanager
async def simulated(played: Scenario) -> AsyncIterator[Provider]:
    """The simulator on the chat wire; the model `a` plays the scenario."""
    async with running(Settings(speed=0, scenarios={"a": played})) as root:
        providers = Providers(configured(root))
        yield await providers.get("chat")
        await providers.aclose()


async def worked(
    mine: Ticket, provider: Provider, context: Surroundings, price: Price | None = None
) -> e.Ending:
    context.ticket = mine
    ending = await Agent(context, "a", provider, price=price).run(e.UserMessage("Go."))
    await context.settle()
    return ending


# What it costs.


async def test_usage_is_priced(tmp_path: Path) -> None:
    price = Price(input=3.0, output=15.0, cached=0.3)
    context = Surroundings()
    async with simulated(says("Hello there.")) as provider:
        await worked(ticket("a", tmp_path), provider, context, price)
    usages = [event for event in context.seen if isinstance(event, e.Usage)]
    assert usages
    assert usages[-1].cost == price.cost(usages[-1].input, usages[-1].output, usages[-1].cached)
    assert usages[-1].cost > 0


async def test_without_a_price_usage_has_no_cost(tmp_path: Path) -> None:
    context = Surroundings()
    async with simulated(says("Hello there.")) as provider:
        await worked(ticket("a", tmp_path), provider, context)
    assert {event.cost for event in context.seen if isinstance(event, e.Usage)} == {None}


async def test_max_cost_stops_the_work_before_the_next_tool_runs(tmp_path: Path) -> None:
    context = Surroundings()
    mine = ticket("a", tmp_path, max_cost=0.5)
    async with simulated(calls("list_files", {})) as provider:
        assert await worked(mine, provider, context, PRICE) == e.TicketLimited("cost")
    assert e.ToolCallRequested in context.kinds()
    assert context.finished() == []


async def test_below_max_cost_the_work_goes_on(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, max_cost=1e9)
    async with simulated(calls("list_files", {})) as provider:
        assert await worked(mine, provider, Surroundings(), PRICE) == e.TicketDone("end")


async def test_without_a_price_max_cost_limits_nothing(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, max_cost=0.000001)
    async with simulated(calls("list_files", {})) as provider:
        assert await worked(mine, provider, Surroundings()) == e.TicketDone("end")


async def test_an_answer_is_done_whatever_it_cost(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, max_cost=0.5)
    async with simulated(says("Dear.")) as provider:
        assert await worked(mine, provider, Surroundings(), PRICE) == e.TicketDone("end")


async def test_the_cost_of_earlier_attempts_counts(tmp_path: Path) -> None:
    before: list[e.Event] = [
        e.TicketQueued(),
        e.AttemptStarted("p", "m"),
        e.UserMessage("Go."),
        e.RequestSent(1),
        e.Usage(1, 1, cost=2.0),
        e.Retrying("cut", 1.0, 2, "cut"),
        e.AttemptStarted("p", "m", continues=True),
    ]
    mine = ticket("a", tmp_path, max_cost=1.0)
    script = Script()
    assert await worked(mine, script, Surroundings(None, *before)) == e.TicketLimited("cost")
    assert script.requests == []


# What may run.


async def test_a_tool_the_tickets_file_denies_is_refused_without_asking(tmp_path: Path) -> None:
    context = Surroundings(Decision("approve"))
    mine = ticket("a", tmp_path, approve={"write_file": "deny"})
    writes = calls("write_file", {"path": "x", "content": "1"}, then="Understood.")
    async with simulated(writes) as provider:
        assert await worked(mine, provider, context) == e.TicketDone("end")
    (finished,) = context.finished()
    assert finished.output == "denied: the tickets file denies this tool"
    assert finished.error == "denied"
    assert e.ApprovalRequested not in context.kinds()
    assert not (tmp_path / "x").exists()


async def test_deny_holds_for_reading_too(tmp_path: Path) -> None:
    context = Surroundings()
    async with simulated(calls("list_files", {})) as provider:
        await worked(ticket("a", tmp_path, approve="deny"), provider, context)
    assert [finished.error for finished in context.finished()] == ["denied"]


async def test_a_tool_that_the_ticket_does_not_offer_is_not_run(tmp_path: Path) -> None:
    context = Surroundings()
    mine = ticket("a", tmp_path, tools=["read_file", "list_files"], approve="auto")
    script = Script(answer("tool_use", WRITE), answer("end", e.TextDelta("Sorry.")))
    assert await worked(mine, script, context) == e.TicketDone("end")
    (finished,) = context.finished()
    assert finished.error == "write_file is not among this ticket's tools: read_file, list_files"
    assert finished.output == finished.error
    assert not (tmp_path / "x").exists()


async def test_nobody_is_asked_about_a_tool_that_cannot_run(tmp_path: Path) -> None:
    context = Surroundings()
    unknown = e.ToolCallRequested("1", "delete_everything", {})
    script = Script(answer("tool_use", unknown), answer("end", e.TextDelta("Sorry.")))
    assert await worked(ticket("a", tmp_path), script, context) == e.TicketDone("end")
    assert e.ApprovalRequested not in context.kinds()
    assert all(finished.error for finished in context.finished())


async def test_only_the_tickets_tools_are_offered(tmp_path: Path) -> None:
    script = Script(answer("end", e.TextDelta("Hi.")))
    await worked(ticket("a", tmp_path, tools=["list_files", "read_file"]), script, Surroundings())
    assert [tool.name for tool in script.requests[0].tools] == ["list_files", "read_file"]


async def test_the_tickets_clock_stands_while_a_person_thinks(tmp_path: Path) -> None:
    context = Surroundings(Decision("approve"))
    script = Script(answer("tool_use", WRITE), answer("end", e.TextDelta("Done.")))
    await worked(ticket("a", tmp_path), script, context)
    assert context.held_while_asked
    assert (tmp_path / "x").read_text() == "1"


async def test_a_call_is_delivered_before_it_runs(tmp_path: Path) -> None:
    command = {"name": "run_command", "arguments": {"command": "echo out"}}
    turns = scenario(turn=[{"text": "Look.", "call": [command]}, {"text": "Done."}])
    context = Surroundings(Decision("approve"))
    async with simulated(turns) as provider:
        await worked(ticket("a", tmp_path), provider, context)
    assert e.ToolOutputDelta in context.kinds()
    assert {type(event) for event in context.unsettled_at_output} <= {e.ToolOutputDelta}


# Going on after an interruption.


def interrupted(*calls: e.ToolCallRequested) -> list[e.Event]:
    return [
        e.TicketQueued(),
        e.AttemptStarted("p", "m"),
        e.UserMessage("Go."),
        e.RequestSent(1),
        *calls,
        e.ResponseFinished(1, "tool_use"),
        e.TicketInterrupted(),
        e.TicketQueued(),
        e.AttemptStarted("p", "m", continues=True),
    ]


async def test_the_call_that_was_stopped_is_answered_and_those_after_it_run(
    tmp_path: Path,
) -> None:
    second = e.ToolCallRequested("2", "write_file", {"path": "x", "content": "1"})
    context = Surroundings(None, *interrupted(READ, second))
    script = Script(answer("end", e.TextDelta("Going on.")))
    mine = ticket("a", tmp_path, approve="auto")
    assert await worked(mine, script, context) == e.TicketDone("end")
    assert [(f.call_id, f.error) for f in context.finished()] == [("1", "interrupted"), ("2", None)]
    assert (tmp_path / "x").exists()
    results = [m for m in script.requests[0].messages if isinstance(m, ToolResult)]
    assert [(result.call_id, result.failed) for result in results] == [("1", True), ("2", False)]
    assert "interrupted" in results[0].output


async def test_a_call_whose_arguments_were_not_stored_is_not_run(tmp_path: Path) -> None:
    """After a restart only the mark is known of what was to be written."""
    kept: e.ToolArguments = {"path": "x", "content": "T=[redacted: github token]"}
    context = Surroundings(
        None,
        *(e.TicketQueued(), e.AttemptStarted("p", "m"), e.UserMessage("Go."), e.RequestSent(1)),
        READ,
        e.ToolCallRequested("2", "write_file", kept),
        *(e.ResponseFinished(1, "tool_use"), e.TicketInterrupted(), e.TicketQueued()),
        e.AttemptStarted("p", "m", continues=True),
    )
    provider = Script(answer("end", e.TextDelta("Done.")))
    await worked(ticket("a", tmp_path, approve="auto"), provider, context)
    assert context.finished()[1].error == "forgotten"
    assert not (tmp_path / "x").exists()


async def test_a_continued_attempt_counts_turns_on_and_does_not_repeat_the_prompt(
    tmp_path: Path,
) -> None:
    script = Script(answer("end", e.TextDelta("Going on.")))
    await worked(ticket("a", tmp_path), script, Surroundings(None, *interrupted(READ)))
    (request,) = script.requests
    assert request.turn == 2
    assert [m for m in request.messages if isinstance(m, UserTurn)] == [UserTurn("Go.")]


async def test_a_call_that_was_interrupted_is_never_run_again(tmp_path: Path) -> None:
    script = Script(answer("end", e.TextDelta("Going on.")))
    mine = ticket("a", tmp_path, approve="auto")
    await worked(mine, script, Surroundings(None, *interrupted(WRITE)))
    assert not (tmp_path / "x").exists()


# How it ends.


@pytest.mark.parametrize("reason", ["refusal", "content_filter"])
async def test_an_answer_the_provider_stopped_is_a_failure_that_is_not_retried(
    tmp_path: Path, reason: str
) -> None:
    script = Script(answer(reason, e.TextDelta("I can")))
    told = "the provider stopped the answer: " + reason.replace("_", " ")
    assert await worked(ticket("a", tmp_path), script, Surroundings()) == e.TicketFailed(
        "content_filter", told, retryable=False
    )


async def test_an_answer_that_ran_out_of_tokens_is_a_limit(tmp_path: Path) -> None:
    mine = ticket("a", tmp_path, max_output_tokens=5)
    async with simulated(says("word " * 100)) as provider:
        assert await worked(mine, provider, Surroundings()) == e.TicketLimited("tokens")


@pytest.mark.parametrize("reason", ["end", "stop_sequence", "something_new"])
async def test_any_other_reason_to_stop_is_done(tmp_path: Path, reason: str) -> None:
    script = Script(answer(reason, e.TextDelta("Hi.")))
    assert await worked(ticket("a", tmp_path), script, Surroundings()) == e.TicketDone(reason)


async def test_calls_run_whatever_the_reason_to_stop_was(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("content")
    context = Surroundings()
    script = Script(answer("end", READ), answer("end", e.TextDelta("So.")))
    assert await worked(ticket("a", tmp_path), script, context) == e.TicketDone("end")
    assert [finished.error for finished in context.finished()] == [None]


async def test_a_request_that_fails_is_the_engines_to_judge(tmp_path: Path) -> None:
    context = Surroundings()
    busy = says("Never.", fault=[{"status": 529, "times": 1}])
    async with simulated(busy) as provider:
        with pytest.raises(ProviderError) as caught:
            await worked(ticket("a", tmp_path), provider, context)
    await context.settle()
    assert caught.value.kind == "overloaded"
    assert context.transcript.state == "waiting"


async def test_a_provider_that_pauses_for_its_own_tools_is_asked_on(tmp_path: Path) -> None:
    provider = Script(answer("pause_turn", e.TextDelta("I search.")), answer("end"))
    context = Surroundings()
    assert await worked(ticket("a", tmp_path), provider, context) == e.TicketDone("end")
    assert [len(request.messages) for request in provider.requests] == [1, 2]
    provider = Script(*[answer("pause_turn", e.TextDelta("Still."))] * 2)
    ending = await worked(ticket("a", tmp_path, max_turns=2), provider, Surroundings())
    assert ending == e.TicketLimited("turns")


async def test_a_call_that_was_only_written_is_remarked_on(tmp_path: Path) -> None:
    call = e.ToolCallStarted("t1", "search", origin="text")
    context = Surroundings()
    await worked(ticket("a", tmp_path), Script(answer("end", call)), context)
    (status,) = [event for event in context.seen if isinstance(event, e.Status)]
    assert "it was not run" in status.message
    context = Surroundings()
    await worked(ticket("a", tmp_path), Script(answer("end", call, e.TextDelta("So."))), context)
    assert e.Status not in context.kinds()


@pytest.mark.parametrize("reason", ["length", "content_filter", "error", "MALFORMED_FUNCTION_CALL"])
async def test_no_call_runs_of_a_response_that_broke_off(tmp_path: Path, reason: str) -> None:
    context = Surroundings()
    script = Script(answer(reason, WRITE), answer("end", e.TextDelta("Again.")))
    await worked(ticket("a", tmp_path, approve="auto"), script, context)
    assert [finished.error for finished in context.finished()] == ["not run"]
    assert not (tmp_path / "x").exists()


async def test_nor_after_a_resume(tmp_path: Path) -> None:
    before = [e.ResponseFinished(1, "length") if isinstance(event, e.ResponseFinished) else event
              for event in interrupted(READ, WRITE)]  # fmt: skip
    context = Surroundings(None, *before)
    await worked(ticket("a", tmp_path, approve="auto"), Script(answer("end")), context)
    assert not (tmp_path / "x").exists()


# What a person is asked about.


async def test_a_command_too_long_to_read_is_not_asked_about(tmp_path: Path) -> None:
    context = Surroundings(Decision("approve"))
    long = e.ToolCallRequested("1", "run_command", {"command": "true " * 2001 + "&& touch ran"})
    script = Script(answer("tool_use", long), answer("end", e.TextDelta("Sorry.")))
    await worked(ticket("a", tmp_path), script, context)
    (finished,) = context.finished()
    assert finished.error == "denied"
    assert "write it to a file" in finished.output
    assert e.ApprovalRequested not in context.kinds()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        ("$ touch [redacted: key]", "what looks like a secret"),
        ("$ true", "its card showed something"),
    ],
)
async def test_what_was_shown_otherwise_does_not_run(tmp_path: Path, shown: str, why: str) -> None:
    """Whatever changed the question on its way to the card, the answer is to another one."""

    class Blotting(Surroundings):
        def emit(self, event: e.Event) -> None:
            if isinstance(event, e.ApprovalRequested):
                event = e.ApprovalRequested(event.call_id, event.name, shown)
            super().emit(event)

    context = Blotting(Decision("always"))
    script = Script(
        answer("tool_use", e.ToolCallRequested("1", "run_command", {"command": "touch ran"})),
        answer("tool_use", e.ToolCallRequested("2", "run_command", {"command": "touch ran"})),
        answer("end", e.TextDelta("Sorry.")),
    )
    await worked(ticket("a", tmp_path), script, context)
    assert [finished.error for finished in context.finished()] == ["denied", "denied"]
    assert all(why in finished.output for finished in context.finished())
    assert not (tmp_path / "ran").exists()


async def test_a_call_that_cannot_run_is_answered_without_asking(tmp_path: Path) -> None:
    """A question about nothing would only teach a person to say yes."""
    context = Surroundings()
    script = Script(
        answer("tool_use", e.ToolCallRequested("1", "run_command", {"cmd": "touch ran"})),
        answer("tool_use", e.ToolCallRequested("2", "run_command", '{"command": "touch ran"} x')),
        answer("end", e.TextDelta("Sorry.")),
    )
    assert await worked(ticket("a", tmp_path), script, context) == e.TicketDone("end")
    assert e.ApprovalRequested not in context.kinds()
    assert all(finished.error for finished in context.finished())
    assert not (tmp_path / "ran").exists()


async def test_the_question_says_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n")
    (tmp_path / "notes.txt").symlink_to("Makefile")
    context = Surroundings(Decision("approve"))
    write = e.ToolCallRequested("1", "write_file", {"path": "notes.txt", "content": "x\n"})
    await worked(ticket("a", tmp_path), Script(answer("tool_use", write), answer("end")), context)
    (asked,) = (event for event in context.seen if isinstance(event, e.ApprovalRequested))
    assert asked.summary == "write notes.txt (1 line), through a link to Makefile"
    assert (tmp_path / "Makefile").read_text() == "x\n"


async def test_a_link_made_while_the_person_reads_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n")

    class Swapping(Surroundings):
        async def ask(self, call_id: str) -> Decision | None:
            await asyncio.to_thread((tmp_path / "notes.txt").symlink_to, "Makefile")
            return await super().ask(call_id)

    context = Swapping(Decision("approve"))
    write = e.ToolCallRequested("1", "write_file", {"path": "notes.txt", "content": "x\n"})
    await worked(ticket("a", tmp_path), Script(answer("tool_use", write), answer("end")), context)
    assert [finished.error for finished in context.finished()] == ["denied"]
    assert (tmp_path / "Makefile").read_text() == "all:\n"
