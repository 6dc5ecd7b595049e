"""A stored run as JSON: what `lfg show --json` and `lfg export --format json` write.

`…_at` and `parked_until` are seconds since the epoch, `…_ms` are milliseconds. Other programs read
these keys: add some, rename none.
"""

from msgspec.structs import replace

from lfgtui.export.figures import RunDocument
from lfgtui.model.fold.attempts import Attempt
from lfgtui.model.fold.items import HostedItem, PlanItem, PromptItem, ToolItem
from lfgtui.model.fold.transcript import Transcript
from lfgtui.model.tickets import Ticket


def run_record(document: RunDocument) -> dict[str, object]:
    """Return the object of the run, or of its ticket if the document is of one ticket."""
    tickets = [ticket_record(document.run, *each) for each in document.tickets()]
    if document.is_one_ticket:
        return tickets[0]
    state = document.summary.state
    return {"run": document.run, "title": document.title, "state": state, "tickets": tickets}


def ticket_record(run: str, ticket: Ticket, transcript: Transcript) -> dict[str, object]:
    """Return the object of a ticket; `parked_until` also if it was interrupted while parked.

    `error` is set if the ticket failed before an attempt began; attempts have their own.
    """
    parked = transcript.parked
    return {
        "run": run,
        "ticket": ticket.id,
        "title": ticket.title,
        "state": transcript.state,
        "copy_of": ticket.copy_of or None,
        "chosen": transcript.is_chosen,
        "parked_until": None if parked is None else round(parked.until, 3),
        "error": transcript.own_error,
        "attempts": [_attempt(attempt) for attempt in transcript.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    rate, (output, is_estimate) = attempt.tokens_per_second, attempt.tokens.total
    plans = [item for item in attempt.items if isinstance(item, PlanItem)]
    hosted = [item for item in attempt.items if isinstance(item, HostedItem)]
    given = [f for item in attempt.items if isinstance(item, PromptItem) for f in item.files]
    return {
        "attempt": attempt.number,
        "provider": attempt.provider,
        "model": attempt.model,
        "state": attempt.state,
        "context_files": [
            {"path": file.path, "size": file.size, "sha256": file.sha256} for file in given
        ],
        "text": attempt.text,
        "reasoning": attempt.reasoning,
        "tool_calls": [_call(call) for call in attempt.tools],
        "hosted_tools": [
            {"name": one.name, "input": one.input, "output": one.output or str(one.live)}
            for one in hosted
        ],
        "plan": plans[-1].steps if plans else None,
        "citations": [
            {"url": one.url, "title": one.title, "quote": one.quote} for one in attempt.citations
        ],
        "stop_reason": attempt.stop_reason,
        "error": attempt.error,
        "usage": replace(attempt.usage, output=output),
        "tokens_estimated": is_estimate,
        "cost_estimated": attempt.is_cost_estimate,
        "answers_reused": attempt.answers_reused,
        "context": attempt.context or None,
        "context_size": attempt.context_size or None,
        "connect_ms": _milliseconds(attempt.connect),
        "first_byte_ms": _milliseconds(attempt.first_byte),
        "ttft_ms": _milliseconds(attempt.ttft),
        "tokens_per_s": None if rate is None else round(rate, 1),
        "started_at": round(attempt.started_at, 3),
        "ended_at": None if attempt.ended_at is None else round(attempt.ended_at, 3),
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _call(call: ToolItem) -> dict[str, object]:
    return {
        "id": call.call_id,
        "name": call.name,
        "arguments": call.given,
        "rule": call.rule,
        "changes": [{"path": path, "diff": diff} for path, diff in call.diffs],
        "output": call.output or str(call.live),
        "error": call.error,
        "exit_code": call.exit_code,
        "seconds": call.seconds,
    }
