"""Turns of a scripted agent, over real pipes: those that go well and all that can go wrong."""

import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import Message, ModelTurn, Session, TextPart, UserTurn
from lfgtui.model.pieces import joined
from lfgtui.processes.agents import AgentProcesses
from lfgtui.providers.acp import connection, handshake, stream
from lfgtui.providers.acp.stream import AcpProvider, AcpStream
from lfgtui.providers.base import Request
from lfgtui.providers.transport.pace import IsSeen, Pace
from lfgtui.settings import environment
from lfgtui.settings.providers import ProviderConfig
from tests.acp.agent import Json, Script, Steps
from tests.acp.scripts import (
    MISBEHAVIOUR,
    ScriptedAgent,
    ended,
    scripted,
    shell,
    update,
    write,
)

Answer = Callable[[e.ApprovalRequested], e.ApprovalOption | None]


@dataclass
class Turns:
    """An agent, and the turns taken with it."""

    folder: Path
    agent: ScriptedAgent
    provider: AcpProvider
    session: Session | None = None
    seconds: float = 30.0
    errors: list[ProviderError] = field(default_factory=list)

    def stream(self, messages: Sequence[Message] = (UserTurn("Go."),), **keys: object) -> AcpStream:
        request = Request(
            model=str(keys.pop("model", "")),
            messages=messages,
            ticket="a",
            workspace=str(self.folder),
            session=self.session,
            first_token_timeout=self.seconds,
            idle_timeout=self.seconds,
            **keys,  # type: ignore[arg-type]
        )
        return self.provider.stream(request)

    async def turn(
        self,
        *prompts: str,
        answer: Answer = lambda question: (question.options or ())[0],
        **keys: object,
    ) -> list[e.WireEvent]:
        """The events of a turn, up to its end or to an error."""
        taken: list[e.WireEvent] = []
        turns = tuple(map(UserTurn, prompts or ("Go.",)))
        async with aclosing(self.stream(turns, **keys)) as events:
            try:
                async for event in events:
                    taken.append(event)
                    if isinstance(event, e.ApprovalRequested):
                        events.answer(event.call_id, answer(event))
            except ProviderError as error:
                self.errors.append(error)
        return [one for one in joined(taken) if not isinstance(one, e.Heartbeat)]


@asynccontextmanager
async def agent_of(
    folder: Path, config: Json | None = None, **script: object
) -> AsyncIterator[Turns]:
    agent = scripted(folder, **script)  # type: ignore[arg-type]
    provider = AcpProvider(
        "mine",
        ProviderConfig(wire="acp", command=agent.command, **(config or {})),  # type: ignore[arg-type]
        AgentProcesses(),
    )
    try:
        yield Turns(folder, agent, provider)
    finally:
        await provider.aclose()


def words(text: str) -> Steps:
    return [{"text": word} for word in re.findall(" ?[^ ]+", text)]


def texts(events: Sequence[e.WireEvent]) -> str:
    return "".join(one.text for one in events if isinstance(one, e.TextDelta))


def notes(events: Sequence[e.WireEvent]) -> list[str]:
    return [one.message for one in events if isinstance(one, e.Status)]


def prompted(mine: Turns) -> str:
    """The text of the last prompt that the agent got."""
    blocks = cast(list[Json], mine.agent.received("session/prompt")[-1]["prompt"])
    return "".join(str(block["text"]) for block in blocks)


# Turns that go well


async def test_an_agent_has_the_secrets_that_lfg_hides_from_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "hidden", {"AGENT_TOKEN": "secret"})
    config: Json = {"env": {"TEAM": "blue"}}
    async with agent_of(tmp_path, config, shows=["AGENT_TOKEN", "TEAM", "PATH"]) as mine:
        await mine.turn()
        known = {"AGENT_TOKEN": "secret", "TEAM": "blue", "PATH": os.environ["PATH"]}
        assert mine.agent.log("environment") == [known]


async def test_a_turn(tmp_path: Path) -> None:
    usage = {"inputTokens": 10, "outputTokens": 5, "cachedReadTokens": 100}
    cost = {"amount": 0.25, "currency": "USD"}
    steps = [
        *words("Now I look."),
        update("usage_update", used=115, size=1000, cost=cost),
        {"stop": {"result": {"stopReason": "end_turn", "usage": usage}}},
    ]
    async with agent_of(tmp_path, turns=[steps]) as mine:
        first, *rest = await mine.turn("Look at this.")
        assert isinstance(first, e.SessionOpened)
        assert rest == [
            e.TextDelta("Now I look."),
            e.ContextUsed(115, 1000, 0.25),
            e.Usage(0, 0, 0, 0.25),
            e.Usage(110, 5, 100, 0.25),
            e.ResponseFinished(1, "end"),
        ]
        (hello,) = mine.agent.received("initialize")
        offered = cast(Json, hello["clientCapabilities"])
        assert (hello["protocolVersion"], offered["terminal"]) == (1, False)
        assert offered["fs"] == {"readTextFile": False, "writeTextFile": False}
        (opened,) = mine.agent.received("session/new")
        assert opened == {"cwd": str(tmp_path), "mcpServers": []}
        (prompt,) = mine.agent.received("session/prompt")
        assert prompt["prompt"] == [{"type": "text", "text": "Look at this."}]
    assert mine.agent.log("closed")


@pytest.mark.parametrize(("choice", "text", "error"), [("yes", "hi\n", None), ("no", "", "Not")])
async def test_a_question(tmp_path: Path, choice: str, text: str, error: str | None) -> None:
    file = tmp_path / "x.txt"

    def answer(question: e.ApprovalRequested) -> e.ApprovalOption:
        assert question.diff == "@@ -0,0 +1,1 @@\n+hi\n" and question.path == str(file)
        return next(one for one in question.options or () if one.option_id == choice)

    async with agent_of(tmp_path, turns=[write(file, "hi\n")]) as mine:
        events = await mine.turn(answer=answer)
    (finished,) = [one for one in events if isinstance(one, e.ToolCallFinished)]
    assert (finished.error or "").startswith(error or "") and bool(finished.error) == bool(error)
    assert (file.read_text() if file.exists() else "") == text


class Busy(Pace):
    """The pace of one among many."""

    rests = 0

    @property
    def seconds(self) -> float:
        return 0.001

    async def rest(self, is_seen: IsSeen | None = None) -> None:
        self.rests += 1
        await super().rest(is_seen)


async def test_one_of_many_agents_is_read_with_rests(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[words("One two three.")]) as mine:
        pace = mine.provider.pace = Busy()
        assert texts(await mine.turn()) == "One two three."
        assert pace.rests


async def test_a_process_is_kept_for_the_next_turn(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[words("One."), words("Two.")]) as mine:
        first, *_ = await mine.turn()
        assert isinstance(first, e.SessionOpened)
        mine.session = Session(first.session_id, told=0, is_interrupted=False)
        assert texts(await mine.turn("And now?")) == "Two."
        assert len(mine.agent.log("started")) == 1
        assert len(mine.agent.received("session/new")) == 1


async def test_one_that_starts_over_gets_another_session(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[words("One."), words("Two.")]) as mine:
        first, second = (await mine.turn())[0], (await mine.turn())[0]
    assert isinstance(first, e.SessionOpened) and isinstance(second, e.SessionOpened)
    assert first.session_id != second.session_id


# What the person says meanwhile


STEERED: Script = {
    "initialize": {"_meta": {"steering": {"supported": True}}},
    "turns": [[{"text": "Working."}, {"wait": {"method": "_session/steering"}}, {"text": "Ok."}]],
}


async def test_a_message_is_taken_into_the_turn(tmp_path: Path) -> None:
    async with agent_of(tmp_path, **STEERED) as mine:
        taken: list[e.WireEvent] = []
        async with aclosing(mine.stream()) as events:
            async for event in events:
                taken.append(event)
                if event == e.TextDelta("Working."):
                    events.tell(7, "Be brief.")
        assert e.MessageTaken(7) in taken
        (steered,) = mine.agent.received("_session/steering")
        assert steered["prompt"] == [{"type": "text", "text": "Be brief."}]


async def test_an_agent_that_takes_none_gets_it_with_the_next_prompt(tmp_path: Path) -> None:
    steps = [{"text": "Working."}, {"wait": {"file": "go"}}, {"text": "Ok."}]
    async with agent_of(tmp_path, turns=[steps]) as mine:
        taken: list[e.WireEvent] = []
        async with aclosing(mine.stream()) as events:
            async for event in events:
                taken.append(event)
                if event == e.TextDelta("Working."):
                    events.tell(7, "Be brief.")
                    (tmp_path / "go").touch()
        assert notes(taken) == []
        assert not any(isinstance(one, e.MessageTaken) for one in taken)


async def test_a_turn_that_is_cancelled_leaves_the_session_open(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[[{"text": "On"}, {"wait": {}}], words("Two.")]) as mine:
        async with aclosing(mine.stream()) as events:
            async for event in events:
                if isinstance(event, e.SessionOpened):
                    mine.session = Session(event.session_id, told=1, is_interrupted=False)
                if isinstance(event, e.TextDelta):
                    break
        assert len(mine.agent.received("session/cancel")) == 1
        assert texts(await mine.turn("Go.", "Again.")) == "Two."
        assert len(mine.agent.log("started")) == 1


async def test_open_questions_are_answered_cancelled_on_cancel(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[write(tmp_path / "x", "hi")]) as mine:
        async with aclosing(mine.stream()) as events:
            async for event in events:
                if isinstance(event, e.ApprovalRequested):
                    break
        (answer,) = mine.agent.answers()
        assert answer["result"] == {"outcome": {"outcome": "cancelled"}}


async def test_an_agent_may_print_much_before_it_says_hello(tmp_path: Path) -> None:
    noise = {"raw": "npm warn\n" * 5_000}
    async with agent_of(tmp_path, start=[noise], turns=[words("Hello.")]) as mine:
        assert texts(await mine.turn()) == "Hello." and not mine.errors


# Going on in a session


async def opened(mine: Turns, *then: Steps) -> str:
    """The session of a first turn, whose process has ended; another will take the turns then."""
    first = (await mine.turn())[0]
    assert isinstance(first, e.SessionOpened)
    await mine.provider.aclose()
    scripted(mine.folder, turns=list(then))
    return first.session_id


async def test_a_session_that_ended_well_is_resumed(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[words("One.")]) as mine:
        session_id = await opened(mine, words("Two."))
        mine.session = Session(session_id, told=1, is_interrupted=False)
        events = await mine.turn("Go.", "And now?")
        assert texts(events) == "Two." and not notes(events)
        assert len(mine.agent.received("session/resume")) == 1
        assert prompted(mine) == "And now?"


async def test_a_turn_that_was_interrupted_goes_on_with_what_history_missed(tmp_path: Path) -> None:
    steps = [*words("One two three."), *shell("echo hi")]
    async with agent_of(tmp_path, turns=[steps]) as mine:
        session = Session(await opened(mine, words("Four.")), told=1)
        session.said.append("One two")
        mine.session = session
        events = await mine.turn("Go.")
        assert notes(events) == ["what the agent did after lfg stopped:"]
        assert texts(events) == " three.Four."
        assert [one.output for one in events if isinstance(one, e.ToolCallFinished)] == ["hi\n"]
        assert len(mine.agent.received("session/load")) == 1
        prompt = prompted(mine)
        assert prompt.startswith("You were interrupted") and prompt.endswith("Go.")


@pytest.mark.parametrize("said", ["One two three.", "Something else."])
async def test_what_the_history_has_is_not_shown_twice(tmp_path: Path, said: str) -> None:
    async with agent_of(tmp_path, turns=[words("One two three.")]) as mine:
        session = Session(await opened(mine, words("Four.")), told=1)
        session.said.append(said)
        mine.session = session
        events = await mine.turn("Go.")
        assert texts(events) == "Four." and not notes(events)


CANNOT: Json = {"agentCapabilities": {}}


@pytest.mark.parametrize("initialize", [CANNOT, {}])
async def test_without_its_session_an_agent_gets_the_conversation_as_text(
    tmp_path: Path, initialize: Json
) -> None:
    async with agent_of(tmp_path, initialize=initialize, turns=[words("On.")]) as mine:
        mine.session = Session("gone", told=2, is_interrupted=False)
        said = (UserTurn("Count."), ModelTurn((TextPart("One."),)), UserTurn("Go on."))
        async with aclosing(mine.stream(said)) as events:
            taken = [event async for event in events]
        assert "cannot resume its session" in notes(taken)[0]
        assert "<user>\nCount.\n</user>" in prompted(mine)
        assert prompted(mine).endswith("Now go on:\n\nGo on.")


KINDS = {
    "rate_limit": "rate_limit",
    "authentication_failed": "auth",
    "oauth_org_not_allowed": "auth",
    "billing_error": "auth",
    "model_not_found": "not_found",
    "invalid_request": "invalid_request",
    "unknown": "server",
}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_kind_of_an_error_that_the_agent_names_is_known(
    tmp_path: Path, kind: str
) -> None:
    error = {"code": -32603, "message": "API Error: no", "data": {"errorKind": kind}}
    async with agent_of(tmp_path, turns=[[{"stop": {"error": error}}]]) as mine:
        await mine.turn()
        assert [one.kind for one in mine.errors] == [KINDS[kind]]


async def test_a_file_that_an_agent_tells_every_client_to_write_is_not_remarked_on(
    tmp_path: Path,
) -> None:
    methods = ("fs/write_text_file", "fs/read_text_file")
    steps: Steps = [{"request": {"method": one, "params": {"path": "/a"}}} for one in methods]
    async with agent_of(tmp_path, turns=[steps]) as mine:
        events = await mine.turn()
        assert notes(events) == ["the agent asked for fs/read_text_file, which lfg does not offer"]
        assert [cast(Json, one["error"])["code"] for one in mine.agent.answers()] == [-32601] * 2


async def test_an_interrupted_turn_whose_session_is_gone_is_not_begun_as_if_nothing_were_done(
    tmp_path: Path,
) -> None:
    async with agent_of(tmp_path, turns=[words("On.")]) as mine:
        mine.session = Session("gone", told=1)
        await mine.turn("Go.")
        assert prompted(mine).startswith("You were interrupted") and prompted(mine).endswith("Go.")


# The session's settings


OPTIONS = [
    {"id": "model", "name": "Model", "category": "model", "currentValue": "small"},
    {"id": "brave", "name": "Brave", "type": "boolean", "currentValue": False},
]


async def test_mode_model_and_options_are_set(tmp_path: Path) -> None:
    answers = {"session/set_mode": {}, "session/set_config_option": {"configOptions": OPTIONS}}
    config: Json = {"mode": "plan", "options": {"brave": True}}
    session = {"configOptions": OPTIONS}
    async with agent_of(tmp_path, config, answers=answers, session=session, turns=[[]]) as mine:
        await mine.turn(model="large")
        (mode,) = mine.agent.received("session/set_mode")
        options = mine.agent.received("session/set_config_option")
    assert mode["modeId"] == "plan"
    assert [(one["configId"], one["value"]) for one in options] == [
        ("model", "large"),
        ("brave", True),
    ]


async def test_a_mode_that_is_an_option_is_set_as_one(tmp_path: Path) -> None:
    option: Json = {"id": "way", "category": "mode", "currentValue": "build"}
    answers: dict[str, Json] = {"session/set_config_option": {"configOptions": [option]}}
    session: Json = {"configOptions": [option]}
    config: Json = {"mode": "plan"}
    async with agent_of(tmp_path, config, answers=answers, session=session, turns=[[]]) as mine:
        await mine.turn()
        (given,) = mine.agent.received("session/set_config_option")
        assert mine.agent.received("session/set_mode") == []
    assert (given["configId"], given["value"]) == ("way", "plan")


@pytest.mark.parametrize(
    ("config", "method", "what"),
    [
        ({"mode": "plna"}, "session/set_mode", "mode to plna"),
        ({"options": {"effort": "low"}}, "session/set_config_option", "effort to low"),
    ],
)
async def test_a_setting_that_is_refused_fails_at_once(
    tmp_path: Path, config: Json, method: str, what: str
) -> None:
    refuses: dict[str, Json] = {method: {"code": -32603, "message": "Internal error"}}
    async with agent_of(tmp_path, config, refuses=refuses, turns=[[]]) as mine:
        assert await mine.turn() == []
        (error,) = mine.errors
    known = "`lfg doctor mine` lists what it has"
    assert str(error) == f"mine: cannot set {what}: Internal error; {known}"
    assert not error.retryable


async def test_a_model_that_cannot_be_chosen_is_an_error(tmp_path: Path) -> None:
    async with agent_of(tmp_path, turns=[[]]) as mine:
        assert await mine.turn(model="large") == []
        (error,) = mine.errors
    assert str(error) == 'mine offers no choice of models; remove model "large"'
    assert not error.retryable


# What agents get wrong

Outcome = tuple[str, str]
"""The text that is shown, and the error, or "" for a turn that ends."""

OUTCOMES: dict[str, Outcome] = {
    "exits at once": ("", "the agent ended (exit code 3): agent: no licence was found"),
    "never answers initialize": ("", "mine: no answer to initialize within 0.5 s"),
    "never opens a session": ("", "mine: no answer to session/new within 0.5 s"),
    "has an older protocol": ("", "mine speaks version 0 of the Agent Client Protocol, lfg"),
    "has a newer protocol": ("", "mine speaks version 2 of the Agent Client Protocol, lfg"),
    "has a protocol of words": ("", 'mine speaks version "2026-01-01" of the Agent Client'),
    "has no protocol": ("", "mine speaks version null of the Agent Client Protocol, lfg"),
    "wants a login": ("", "mine is not signed in"),
    "opens no session": ("", "mine: out of disk"),
    "opens a session without a name": ("", "mine opened a session without an id"),
    "settles by an error": ("Hello.", "mine: overloaded"),
    "never settles": ("Hello.", "no data for 0.5 s (idle_timeout)"),
    "ignores cancel": ("Hello.", "no data for 0.5 s (idle_timeout)"),
    "ignores everything": ("Hello.", "no data for 0.5 s (idle_timeout)"),
    "dies in mid-turn": ("Hello.", "the agent ended (killed by SIGKILL, exit code -9): panic: nil"),
    "dies with a question open": ("Hello.", "the agent ended (exit code 1)"),
    "ends the turn with a question open": ("", ""),
    "talks after the end of the turn": ("Hello.", ""),
    "floods standard output": ("x", ""),
    "floods standard error": ("Hello.", ""),
    "writes a line of a megabyte": ("x", ""),
    "writes a line of twenty megabytes": ("x", ""),
    "breaks off in a line": ("Hello.", "the agent ended (exit code 0)"),
    "writes lines that are no JSON": ("Hello.", ""),
    "asks twice under one id": ("Hello.", ""),
    "asks for a session nobody knows": ("Hello.", ""),
    "speaks for a session nobody knows": ("Hello.", ""),
    "asks without options": ("Hello.", ""),
    "asks what a client may not know": ("Hello.", ""),
    "sends unknown updates": ("Hello.", ""),
    "stops for an unknown reason": ("Hello.", ""),
    "stops without a reason": ("Hello.", ""),
    "settles twice": ("Hello.", ""),
    "leaves a process behind": ("Hello.", ""),
    "leaves one that holds its output": ("Hello.", ""),
}
SILENT = ("never settles", "ignores cancel", "ignores everything", "never answers initialize",
          "never opens a session")  # fmt: skip


@pytest.mark.parametrize("what", sorted(MISBEHAVIOUR.keys() - {"starts slowly"}))
async def test_an_agent_that(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, why = OUTCOMES[what]
    monkeypatch.setattr(stream, "CANCEL_GRACE", 0.2)
    if what in SILENT:
        monkeypatch.setattr(handshake, "START_SECONDS", 0.5 if why.startswith("mine") else 30.0)
    async with agent_of(tmp_path, **MISBEHAVIOUR[what]) as mine:
        mine.seconds = 0.5 if "idle_timeout" in why else 30.0
        events = await mine.turn()
    said = texts(events)
    assert said.startswith(text) if text == "x" else said in (text, f"{text} One more thing.")
    assert [str(error)[: len(why)] for error in mine.errors] == ([why] if why else [])
    finished = [one for one in events if isinstance(one, e.ResponseFinished)]
    assert len(finished) == (not why)


async def test_a_question_for_an_unknown_session_is_remarked_on(tmp_path: Path) -> None:
    async with agent_of(tmp_path, **MISBEHAVIOUR["asks for a session nobody knows"]) as mine:
        events = await mine.turn()
    remarks = [event.message for event in events if isinstance(event, e.Status)]
    (remark,) = [message for message in remarks if "another session" in message]
    assert remark.startswith('a question of another session, "other": ')


async def test_an_agent_that_ignores_its_cancel_is_given_no_more_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CANCEL_GRACE", 0.2)
    monkeypatch.setattr(connection, "EXIT_GRACE", 600.0)
    async with agent_of(tmp_path, **MISBEHAVIOUR["ignores everything"]) as mine:
        async with aclosing(mine.stream()) as events:
            async for event in events:
                if isinstance(event, e.TextDelta):
                    break
        (pid,) = cast(list[int], mine.agent.log("started"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_nothing_is_left_of_an_agent_that_is_cancelled_in_a_command(tmp_path: Path) -> None:
    steps = [*shell("sleep 600 & sleep 600"), ended("run-1", "")]
    async with agent_of(tmp_path, turns=[steps], ignores=["session/cancel"]) as mine:
        async with aclosing(mine.stream()) as events:
            async for event in events:
                if isinstance(event, e.ToolCallRequested):
                    break
        (pid,) = cast(list[int], mine.agent.log("started"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
