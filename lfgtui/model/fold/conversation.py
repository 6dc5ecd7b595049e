"""The conversation sent to the model, rebuilt from events alone.

The next request is a function of the events so far and of nothing else, so
after a process was killed between a tool call and its result, the next one
goes on exactly there. Only finished responses count; the partial text of a
broken one is on the screen and in the history, not in the conversation, unless
the next attempt continues it (`keeps_partial`).
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import TypeAlias

import msgspec

from lfgtui.model import events as e
from lfgtui.model.fold.items import COMPACT
from lfgtui.model.ticket_keys.context import ContextFile, as_message
from lfgtui.text.growing_text import Growing


class TextPart(msgspec.Struct, frozen=True):
    """A run of visible text."""

    text: str


class ReasoningPart(msgspec.Struct, frozen=True):
    """A run of thinking; wires that want it back pair it with the `ItemPart` after it."""

    text: str


class CallPart(msgspec.Struct, frozen=True):
    """A tool call the model made; `wire_id` is the id that `provider` gave it, "" for none."""

    call_id: str
    name: str
    arguments: e.ToolArguments
    wire_id: str = ""
    provider: str = ""


class ItemPart(msgspec.Struct, frozen=True):
    """An opaque piece for the wire it came from; other wires leave it out.

    `provider` is the one that sent it: its encrypted reasoning and its own fields mean nothing to
    another provider of the same wire.
    """

    wire: str
    item: dict[str, object]
    provider: str = ""

    def is_for(self, provider: str) -> bool:
        """Return True if the provider may get it.

        Anthropic's signatures are valid on all platforms that serve its models.
        """
        return self.provider == provider or self.wire == "anthropic"


Part: TypeAlias = TextPart | ReasoningPart | CallPart | ItemPart


class UserTurn(msgspec.Struct, frozen=True):
    """A message to the model, as it is sent.

    `is_said`: a person said it during the work, or it shows other tickets to one that watches; it
    is no prompt. A message with `files` has only these: `text` is their form for wires that have
    no parts for files.
    """

    text: str
    is_said: bool = False
    files: tuple[ContextFile, ...] = ()


class ModelTurn(msgspec.Struct, frozen=True):
    """One response, its parts in the order they streamed.

    `is_cut`: it broke off, and the next request asks for the rest of it.
    """

    parts: tuple[Part, ...]
    is_cut: bool = False

    @property
    def text(self) -> str:
        """The visible text of the response."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def calls(self) -> tuple[CallPart, ...]:
        """The tool calls of the response."""
        return tuple(part for part in self.parts if isinstance(part, CallPart))

    def items(self, wire: str) -> list[dict[str, object]]:
        """Return the opaque items that belong to this wire."""
        return [p.item for p in self.parts if isinstance(p, ItemPart) and p.wire == wire]


class ToolResult(msgspec.Struct, frozen=True):
    """The result of one call. If it `failed`, `output` is the error."""

    call_id: str
    output: str
    failed: bool


class Session(msgspec.Struct):
    """The conversation as an installed agent keeps it by itself, under an id.

    The agent has the first `told` messages already. `said` is its visible text since the last
    request, `calls` the number of its calls since then; `is_interrupted` until it has answered
    that request. `cost` is in USD since the session began, as the agent reports it.
    """

    session_id: str
    told: int = 0
    said: Growing = msgspec.field(default_factory=Growing)
    calls: int = 0
    is_interrupted: bool = True
    cost: float = 0.0


LEFT_OUT = "[output left out to save room; {:,} characters of {}; run it again if needed]"
"""The text that the model gets in place of a compacted output: its length, and the tool's name."""

Message: TypeAlias = UserTurn | ModelTurn | ToolResult


def since_the_model(messages: Sequence[Message]) -> list[Message]:
    """Return the messages after the last response."""
    after = takewhile(lambda message: not isinstance(message, ModelTurn), reversed(messages))
    return list(after)[::-1]


def with_answers(message: e.UserMessage) -> str:
    """Return the message as the model gets it.

    Answers stand first, each in a tag that names its ticket: models do best with long material
    before the question, and a tag keeps an answer that has headings apart from the prompt.
    """
    answers = (message.answers or {}).items()
    tagged = [f'<answer ticket="{name}">\n{text.strip()}\n</answer>' for name, text in answers]
    return "\n\n".join([*tagged, message.text])


class Conversation:
    """The fold from events to messages; `Transcript` owns one and feeds it.

    What the person says while a response or a tool is under way waits in `said`, by the `seq` of
    its entry: no wire takes a message between a call and its result. It joins `messages` as soon
    as a message may stand there; for a queued ticket that is when its attempt begins, since this
    may be from the prompt. A message that an agent took during a response is put before that
    response, since none can stand within one; if the response breaks off, it counts as not taken.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.said: dict[int, UserTurn] = {}
        self.sessions: dict[str, Session] = {}
        """The sessions of agents that keep the conversation themselves, by provider."""
        self._taken: dict[int, UserTurn] = {}  # messages that the running response took, by `seq`
        self._forgotten = 0  # finished turns that are no longer in `messages`
        self.starts_over = False
        """True after `RestartRequested` until the ticket begins again: meanwhile only the person's
        messages count."""
        self._is_queued = False
        self._is_responding = False
        self._open: list[Part] = []  # the parts of the running response, without the newest text
        self._run: Growing | None = None  # the newest text or reasoning, which grows
        self._run_kind: type[TextPart | ReasoningPart] = TextPart
        self._provider = ""
        self._session: Session | None = None  # that of the running response
        self._not_for_model: set[str] = set()  # ids of calls by an agent or by lfg

    @property
    def unanswered(self) -> tuple[CallPart, ...]:
        """Calls of the last response that have no result yet, in order."""
        answered: set[str] = set()
        for message in reversed(self.messages):
            if isinstance(message, ToolResult):
                answered.add(message.call_id)
            elif isinstance(message, ModelTurn):
                return tuple(call for call in message.calls if call.call_id not in answered)
            else:
                break
        return ()

    @property
    def responses(self) -> int:
        """Number of turns that the model finished."""
        turns = (message for message in self.messages if isinstance(message, ModelTurn))
        return self._forgotten + sum(not turn.is_cut for turn in turns)

    @property
    def turns_since_said(self) -> int:
        """Number of turns that the model finished since the last message that `is_said`."""
        if self.said:
            return 0
        turns = 0
        for message in reversed(self.messages):
            if isinstance(message, UserTurn) and message.is_said:
                break
            turns += isinstance(message, ModelTurn) and not message.is_cut
        return turns

    @property
    def partial(self) -> str:
        """The visible text of the unfinished response; "" if it called a tool."""
        if any(isinstance(part, CallPart) for part in self._open):
            return ""
        texts = [part.text for part in self._open if isinstance(part, TextPart)]
        if self._run is not None and self._run_kind is TextPart:
            texts.append(str(self._run))
        return "".join(texts)

    def apply(self, event: e.Event, seq: int) -> None:
        """Fold one event; events that are not for the model change nothing."""
        if isinstance(event, e.AttemptStarted):
            self._provider, self._is_responding = event.provider, False
            self._is_queued = self.starts_over = False
        elif isinstance(event, e.TicketQueued | e.RestartRequested):
            self._is_queued = True
        match event:
            case (
                e.AttemptStarted(continues=False)
                | e.TicketQueued(starts_over=True)
                | e.RestartRequested()
            ):
                self.starts_over = isinstance(event, e.RestartRequested)
                self._forgotten = 0
                self.messages.clear()
                self.sessions.clear()
                self._session = None
                self._drop()
            case e.UserMessage(text, origin="person"):
                self.said[seq] = UserTurn(text, is_said=True)
            case _ if self.starts_over:
                return
            case e.MessageTaken(message_seq) if message_seq in self.said:
                self._taken[message_seq] = self.said.pop(message_seq)
            case e.UserMessage(read=read):
                if event.anew is True:
                    self._forget()
                if event.context:  # first, since it is what several tickets have in common
                    given = UserTurn(as_message(event.context), files=event.context)
                    self.messages.append(given)
                self.messages.append(UserTurn(with_answers(event), is_said=bool(read)))
            case e.AttemptStarted(keeps_partial=True) if self.partial:
                self._end_response(ModelTurn((TextPart(self.partial),), is_cut=True))
            case e.AttemptStarted():
                self._drop()
            case e.TurnBegun():
                self._is_responding = True
                self._session = None
                self._drop()
            case e.SessionOpened(session_id):
                self._open_session(session_id)
            case e.ContextUsed(_, _, cost) if self._session is not None:
                self._session.cost = cost or self._session.cost
            case e.ContextCompacted(calls):
                self._leave_out(set(calls))
                self._is_responding = False
            case _:
                if not self._apply_to_response(event):
                    return
        is_busy = self._is_queued or self._is_responding
        if self.said and self.messages and not (is_busy or self.unanswered):
            self.messages.extend(self.said.values())
            self.said.clear()

    def _apply_to_response(self, event: e.Event) -> bool:
        """Fold an event of the running response or its calls; return False if it is none."""
        match event:
            case e.TextDelta(text):
                self._say(TextPart, text)
                if self._session is not None:
                    self._session.said.append(text)
            case e.ReasoningDelta(text):
                self._say(ReasoningPart, text)
            case e.ToolCallStarted(call_id, origin="agent"):
                self._not_for_model.add(call_id)
                if self._session is not None:
                    self._session.calls += 1
            case e.ApprovalRequested(call_id) if call_id.startswith(COMPACT):
                self._not_for_model.add(call_id)
            case e.SetupStarted(call_id):
                self._not_for_model.add(call_id)
            case e.ToolCallRequested(origin="agent"):
                pass
            case e.ToolCallRequested(call_id, name, arguments, wire_id):
                wire_id = call_id if wire_id is msgspec.UNSET else wire_id
                self._add(CallPart(call_id, name, arguments, wire_id, self._provider))
            case e.ProviderItem(wire, item):
                self._add(ItemPart(wire, item, self._provider))
            case e.ResponseFinished(_, stop_reason):
                self._is_responding = stop_reason == "pause_turn"
                self._end_run()
                self._end_response(ModelTurn(tuple(self._open)))
                if self._session is not None:
                    self._session.told = len(self.messages)
                    self._session.is_interrupted = False
            case e.ToolCallFinished(call_id, output, error) if call_id not in self._not_for_model:
                failed = error is not None
                self.messages.append(ToolResult(call_id, output, failed))
            case _:
                return False
        return True

    def _forget(self) -> None:
        """Forget the messages so far; turns are still counted on."""
        self._forgotten = self.responses
        self.messages.clear()
        self.sessions.clear()

    def _leave_out(self, calls: set[str]) -> None:
        """Replace the output of each of the calls by one line."""
        turns = (turn for turn in self.messages if isinstance(turn, ModelTurn))
        names = {call.call_id: call.name for turn in turns for call in turn.calls}
        for n, message in enumerate(self.messages):
            if isinstance(message, ToolResult) and message.call_id in calls:
                name = names.get(message.call_id, "the call")
                line = LEFT_OUT.format(len(message.output), name)
                self.messages[n] = msgspec.structs.replace(message, output=line)

    def _open_session(self, session_id: str) -> None:
        """Note that the running response is in this session, to which all messages were sent."""
        session = self.sessions.get(self._provider)
        cost = session.cost if session and session.session_id == session_id else 0.0
        self._session = Session(session_id, len(self.messages), cost=cost)
        self.sessions[self._provider] = self._session

    def _say(self, kind: type[TextPart | ReasoningPart], text: str) -> None:
        """Append to the newest text of the running response, or begin one of another kind."""
        if self._run is None or kind is not self._run_kind:
            self._end_run()
            self._run, self._run_kind = Growing(), kind
        self._run.append(text)

    def _add(self, part: Part) -> None:
        self._end_run()
        self._open.append(part)

    def _end_run(self) -> None:
        """Make the newest text a part: the next delta begins another one."""
        if self._run is not None:
            self._open.append(self._run_kind(str(self._run)))
            self._run = None

    def _end_response(self, turn: ModelTurn) -> None:
        """Add the response to the messages, after those of the person that it took."""
        self.messages += [*self._taken.values(), turn]
        self._taken.clear()
        self._drop()

    def _drop(self) -> None:
        """Forget the parts of the running response; messages that it took wait again."""
        self._open.clear()
        self._run = None
        self.said = dict(sorted((self._taken | self.said).items()))
        self._taken.clear()
