"""A run as spans, by OpenTelemetry's semantic conventions for generative AI.

https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai (in development)

    invoke_workflow               the run
      invoke_agent TICKET         each attempt
        chat MODEL                each request of lfg's; agents make their own, unseen
        execute_tool NAME         each call that was run

Ids are digests of run, ticket and place, so another export has the same ones. Prompts, answers and
titles are left out unless `content` is set, as the conventions require: the title of a single
prompt is its beginning.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from lfgtui.export.figures import RunDocument, TicketDocument
from lfgtui.export.otlp.contents import call_contents, finish_reason, messages
from lfgtui.export.otlp.encoding import CLIENT, INTERNAL, Span, Value
from lfgtui.history.stats import Request
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.tickets import Ticket
from lfgtui.settings.providers import WireName

_PROVIDERS = {"gemini": "gcp.gemini", "mistral": "mistral_ai", "xai": "x_ai"}
"""Providers that have other names in the conventions."""

_AGENTS: tuple[WireName, ...] = ("acp", "agent-sse", "agent-websocket")
"""Wires to agents, whose requests to models lfg does not see."""

_MOST_SPANS = 500
"""Most spans of a batch, which is one request: collectors take requests of some megabytes."""


def trace_id(run: str) -> str:
    """Return the id of the run's trace."""
    return _digest(run)[:32]


class RunSpans:
    """The spans of a run, or of one of its tickets.

    `wires` maps each provider's name to its wire. With `content`, prompts, answers, and the
    arguments and results of calls are included.
    """

    def __init__(
        self, document: RunDocument, wires: Mapping[str, WireName], *, content: bool
    ) -> None:
        self._document = document
        self._run = document.run
        self._wires = wires
        self._content = content
        self._root = self._id()

    def batches(self) -> Iterator[Sequence[Span]]:
        """Yield the spans of the tickets, then the run's own, which ends with the last of them."""
        end = self._document.summary.started_at
        for one in self._document.tickets():
            requests = list(self._document.requests(one.ticket.id))
            spans = [
                span
                for attempt in one.transcript.attempts
                for span in self._of_attempt(
                    one, attempt, [r for r in requests if r.attempt == attempt.number]
                )
            ]
            end = max([end, *(span.end for span in spans)])
            for first in range(0, len(spans), _MOST_SPANS):
                yield spans[first : first + _MOST_SPANS]
        yield [self._of_run(end)]

    def _id(self, *place: object) -> str:
        """Return the id of the span at this place: ticket, attempt, kind and number."""
        return _digest(self._run, *place)[:16]

    def _of_run(self, end: float) -> Span:
        run = self._document.summary
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_workflow",
            "lfg.run": self._run,
            "lfg.state": run.state,
            "lfg.tickets": run.tickets,
            "lfg.tickets.done": run.done,
        }
        name = "invoke_workflow"
        if self._content:
            attributes["gen_ai.workflow.name"] = self._document.title
            name = f"{name} {self._document.title}"
        if run.cost is not None:
            attributes["lfg.cost_usd"] = run.cost
        error = "" if run.state == "failed" else None
        if error is not None:
            attributes["error.type"] = "failed"
        end = max(end, run.ended_at or 0.0)
        return Span(self._root, "", name, INTERNAL, run.started_at, end, attributes, error)

    def _of_attempt(
        self, document: TicketDocument, attempt: Attempt, requests: Sequence[Request]
    ) -> Iterator[Span]:
        """Yield the spans of the attempt's calls and requests, then the attempt's own."""
        ticket = document.ticket
        own = self._id(ticket.id, attempt.number)
        is_agent = self._wires.get(attempt.provider) in _AGENTS
        ends = [attempt.started_at, attempt.ended_at or 0.0]
        for place, call in enumerate(attempt.tools):
            if call.started_at is not None and not call.is_unrun:
                end = call.started_at + call.seconds if call.seconds is not None else max(ends)
                ends.append(end)
                call_id = self._id(ticket.id, attempt.number, "call", place)
                yield self._of_call(call_id, own, call, call.started_at, end)
        for place, request in enumerate([] if is_agent else requests):
            end = max(ends) if request.ended_at is None else request.ended_at
            ends.append(end)
            request_id = self._id(ticket.id, attempt.number, "chat", place)
            yield self._of_request(request_id, own, ticket, request, end)
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_agent",
            **self._of_model(ticket, attempt.provider, attempt.model),
            "gen_ai.agent.id": f"{self._run}/{ticket.id}",
            "gen_ai.agent.name": ticket.id,
            "lfg.run": self._run,
            "lfg.ticket": ticket.id,
            "lfg.attempt": attempt.number,
            "lfg.state": attempt.state,
        }
        used, (output, _) = attempt.usage, attempt.tokens.total
        attributes |= _usage(used.input, output, used.cached, used.cost)
        attributes |= _finish_reasons(attempt.stop_reason)
        if self._content:
            attributes |= messages(ticket, attempt)
        error = None
        if attempt.state == "failed" and attempt.error is not None:
            attributes["error.type"], error = attempt.error.kind, attempt.error.message
        elif attempt.state == "limit":
            attributes["error.type"], error = "limit", ""
        kind, name = CLIENT if is_agent else INTERNAL, f"invoke_agent {ticket.id}"
        start, end = attempt.started_at, max(ends)
        yield Span(own, self._root, name, kind, start, end, attributes, error)

    def _of_request(
        self, own: str, agent: str, ticket: Ticket, request: Request, end: float
    ) -> Span:
        usage = request.usage
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            **self._of_model(ticket, request.provider, request.model),
            "gen_ai.request.stream": ticket.stream,
            "lfg.turn": request.turn,
            **_usage(usage.input, request.output, usage.cached, usage.cost),
            **_finish_reasons(request.stop_reason),
        }
        if isinstance(usage.cache_write, int):
            attributes["gen_ai.usage.cache_creation.input_tokens"] = usage.cache_write
        if ticket.max_output_tokens is not None:
            attributes["gen_ai.request.max_tokens"] = ticket.max_output_tokens
        if request.ttft is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = round(request.ttft, 6)
        error = "" if request.outcome == "failed" else None
        if error is not None:
            attributes["error.type"] = request.error or "_OTHER"
        name = f"chat {request.model}"
        return Span(own, agent, name, CLIENT, request.sent_at, end, attributes, error)

    def _of_call(self, own: str, agent: str, call: ToolItem, start: float, end: float) -> Span:
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.call.id": call.call_id,
            "gen_ai.tool.type": "extension" if call.is_agent_call else "function",
        }
        if call.exit_code is not None:
            attributes["process.exit.code"] = call.exit_code
        if self._content:
            attributes |= call_contents(call)
        error = None
        if failure := _failure(call):
            attributes["error.type"] = failure
            error = (call.error or "") if self._content else ""
        name = f"execute_tool {call.name}"
        return Span(own, agent, name, INTERNAL, start, end, attributes, error)

    def _of_model(self, ticket: Ticket, provider: str, model: str) -> dict[str, Value]:
        """Return the attributes that attempts and requests share."""
        attributes: dict[str, Value] = {
            "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
            "gen_ai.conversation.id": f"{self._run}/{ticket.id}",
        }
        if model:  # an agent may choose its own
            attributes["gen_ai.request.model"] = model
        if ticket.schema is not None:
            attributes["gen_ai.output.type"] = "json"
        return attributes


def _digest(run: str, *place: object) -> str:
    return sha256("/".join(map(str, ("lfg", run, *place))).encode()).hexdigest()


def _usage(sent: int, output: int, cached: int, cost: float | None) -> dict[str, Value]:
    """Return the attributes for numbers of tokens, if not 0, and for their cost."""
    attributes: dict[str, Value] = {}
    if sent:
        attributes["gen_ai.usage.input_tokens"] = sent
    if output:
        attributes["gen_ai.usage.output_tokens"] = output
    if cached:
        attributes["gen_ai.usage.cache_read.input_tokens"] = cached
    if cost is not None:
        attributes["lfg.cost_usd"] = cost
    return attributes


def _finish_reasons(reason: str | None) -> dict[str, Value]:
    return {"gen_ai.response.finish_reasons": (finish_reason(reason),)} if reason else {}


def _failure(call: ToolItem) -> str:
    """Return the error type of a call, "" if it succeeded."""
    if call.denied:
        return "denied"
    if call.state == "stopped":
        return "stopped"
    return "tool_error" if call.error or call.exit_code else ""
