"""OpenAI's newer wire: `POST /v1/responses`, streamed as numbered events.

https://platform.openai.com/docs/api-reference/responses-streaming, and for requests
https://platform.openai.com/docs/api-reference/responses. The input of a request is a flat
list of items; one response is several of them (reasoning, message, function calls). Error
texts are OpenAI's.
"""

from collections.abc import Sequence

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Reply, Segment
from lfgtui.simulator.request import Entry, Refused, Request, ToolResult, read_conversation
from lfgtui.simulator.wires.base import Json, Writer, build_request, dump, record, text_of
from lfgtui.simulator.wires.openai import (
    SERVER_ERROR,
    OpenAIWire,
    cached_part,
    check_model,
    error_body,
    invalid,
    missing,
)

# Types of items, and prefixes of the ids of a response's items, by segment.
_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_PREFIXES = {"reasoning": "rs_", "text": "msg_", "call": "fc_"}


class ResponsesWriter(Writer):
    """Writes one response, which repeats much of the request."""

    wire = "responses"

    def __init__(self, reply: Reply, ids: IdFactory, body: Json) -> None:
        super().__init__(reply, ids, body)
        self._number = 0
        self._reasoning = body.get("reasoning") or {}
        self._summarises = bool(self._reasoning.get("summary"))
        self._encrypts = "reasoning.encrypted_content" in (body.get("include") or ())

    def open(self) -> bytes:
        response = self._response("in_progress", [])
        created = self._event("response.created", response=response)
        return created + self._event("response.in_progress", response=response)

    def close(self) -> bytes:
        whole = self._whole()
        return self._event(f"response.{whole['status']}", response=whole)

    def broken(self) -> bytes:
        error = {"code": "server_error", "message": SERVER_ERROR}
        failed = self._response("failed", []) | {"error": error}
        broken = self._event("error", error=error_body(Refused("server")))
        return broken + self._event("response.failed", response=failed)

    def body(self) -> bytes:
        return dump(self._whole())

    def _start(self, segment: Segment) -> bytes:
        return self._item_event("added", segment) + self._part_event("added", segment, "")

    def _piece(self, segment: Segment, text: str) -> bytes:
        more: Json
        match segment.kind:
            case "reasoning" if not self._summarises:
                return b""
            case "reasoning":
                name, more = "reasoning_summary_text", {"summary_index": 0}
            case "text":
                name, more = "output_text", {"content_index": 0, "logprobs": []}
            case _:
                name, more = "function_call_arguments", {}
        if self._options.get("include_obfuscation", True):
            more["obfuscation"] = self._ids.obfuscation(self._reply.nonce, self._number)
        return self._event(f"response.{name}.delta", delta=text, **self._at(segment), **more)

    def _end(self, segment: Segment) -> bytes:
        at, text, done = self._at(segment), segment.text, b""
        if segment.kind == "call":
            name = "response.function_call_arguments.done"
            done = self._event(name, **at, arguments=text, name=segment.name)
        elif segment.kind == "text":
            more = {"content_index": 0, "text": text, "logprobs": []}
            done = self._event("response.output_text.done", **at, **more)
        elif self._summarises:
            name = "response.reasoning_summary_text.done"
            done = self._event(name, **at, summary_index=0, text=text)
        return done + self._part_event("done", segment, text) + self._item_event("done", segment)

    def _item_event(self, state: str, segment: Segment) -> bytes:
        item = self._item(segment, is_started=state == "added")
        return self._event(f"response.output_item.{state}", item=item, output_index=segment.index)

    def _part_event(self, state: str, segment: Segment, text: str) -> bytes:
        """Return the event that a part of an item is "added" or "done"; calls have no parts."""
        at = self._at(segment)
        if segment.kind == "text":
            name, part = "content_part", _text_part(text)
            return self._event(f"response.{name}.{state}", **at, content_index=0, part=part)
        if segment.kind == "reasoning" and self._summarises:
            name, part = "reasoning_summary_part", _summary(text)
            return self._event(f"response.{name}.{state}", **at, summary_index=0, part=part)
        return b""

    def _item(self, segment: Segment, *, is_started: bool = False) -> Json:
        """Return a segment's item, complete or as it begins."""
        status = "completed" if segment.complete else "incomplete"
        status = "in_progress" if is_started else status
        text = "" if is_started else segment.text
        item: Json = {"id": self._item_id(segment)}
        if segment.kind == "reasoning":
            summary = [_summary(text)] if self._summarises and text else []
            item |= {"type": "reasoning", "summary": summary}
            if self._encrypts and not is_started:
                item["encrypted_content"] = self._ids.encrypted(item["id"])
        elif segment.kind == "text":
            content = [] if is_started else [_text_part(text)]
            item |= {"type": "message", "status": status, "content": content, "role": "assistant"}
        else:
            call = {"call_id": self._call_id(segment), "name": segment.name}
            item |= {"type": "function_call", "status": status, "arguments": text, **call}
        return item

    def _item_id(self, segment: Segment) -> str:
        return self._ids.item(_PREFIXES[segment.kind], self._reply.nonce, segment.place)

    def _at(self, segment: Segment) -> Json:
        return {"item_id": self._item_id(segment), "output_index": segment.index}

    def _event(self, event: str, **fields: object) -> bytes:
        number, self._number = self._number, self._number + 1
        return record({"type": event, **fields, "sequence_number": number}, event)

    def _whole(self) -> Json:
        """Return the complete response."""
        reply = self._reply
        is_cut = reply.stop == "length"
        items = [self._item(segment) for segment in reply.segments]
        return self._response("incomplete" if is_cut else "completed", items) | {
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "usage": {
                "input_tokens": reply.input_tokens,
                "input_tokens_details": {"cached_tokens": reply.cached_tokens},
                "output_tokens": reply.output_tokens,
                "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
                "total_tokens": reply.input_tokens + reply.output_tokens,
            },
        }

    def _response(self, status: str, output: list[Json]) -> Json:
        """Return a response with these items, of a status such as "in_progress", without usage."""
        body, reply = self._body, self._reply
        return {
            "id": self._ids.item("resp_", reply.nonce),
            "object": "response",
            "created_at": reply.created,
            "status": status,
            "background": False,
            "completed_at": reply.created if status == "completed" else None,
            **dict.fromkeys(("error", "incomplete_details", "max_tool_calls")),
            "model": reply.model,
            "output": output,
            "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            **dict.fromkeys(("previous_response_id", "prompt_cache_key")),
            "reasoning": {key: self._reasoning.get(key) for key in ("effort", "summary")},
            "safety_identifier": None,
            "service_tier": "default",
            "store": body.get("store") is not False,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": "auto",
            "top_logprobs": 0,
            "truncation": "disabled",
            "usage": None,
            "user": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "temperature": body.get("temperature", 1.0),
            "top_p": body.get("top_p", 1.0),
            "tools": body.get("tools") or [],
            "metadata": body.get("metadata") or {},
        }


class ResponsesWire(OpenAIWire):
    """The Responses API."""

    path = "/v1/responses"
    params = "openai.types.responses.response_create_params:ResponseCreateParamsBase"
    writer = ResponsesWriter

    def read(self, body: Json, ids: IdFactory) -> Request:
        if not body.get("model"):
            raise missing("model")
        check_model(body["model"])
        if (previous := body.get("previous_response_id")) is not None:
            raise invalid(
                f"Previous response with id '{previous}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        items = body.get("input")
        if not items:
            raise invalid(
                "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must"
                " be provided.",
                "input",
                "missing_required_parameter",
            )
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        _check_outputs(items)
        _check_encrypted(items, ids, stores=body.get("store") is not False)
        parts = (body["model"], body.get("instructions") or "")
        conversation = read_conversation([_entry(item) for item in items], "responses", ids, *parts)
        wanted = body.get("reasoning") or {}
        reasons = wanted.get("effort") != "none" and any(wanted.values())
        if reasons:
            _check_reasoning_returned(items, conversation.start, ids)
        return build_request(
            body,
            items,
            conversation,
            max_tokens=body.get("max_output_tokens"),
            reasoning=reasons,
            cached=cached_part,
        )


def _text_part(text: str) -> Json:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _summary(text: str) -> Json:
    return {"type": "summary_text", "text": text}


def _kind(item: Json) -> str:
    """Return an item's type; a message may leave it out."""
    return str(item.get("type", "message"))


def _is_models(item: Json) -> bool:
    """Return True for an item that the model made."""
    return _kind(item) in ("reasoning", *_CALLS) or item.get("role") == "assistant"


def _entry(item: Json) -> Entry:
    if _kind(item) in _OUTPUTS:
        return Entry("tool", "", results=[ToolResult(text_of(item["output"]))])
    calls = [item["call_id"]] if _kind(item) in _CALLS else []
    role = "assistant" if _is_models(item) else item.get("role", "")
    return Entry(role, text_of(item.get("content")), calls)


def _input(message: str) -> Refused:
    return invalid(message, "input")


def _check_outputs(items: Sequence[Json]) -> None:
    """Refuse an output without its call before it, and a call without its output."""
    called: dict[str, str] = {}
    answered: set[str] = set()
    for item in items:
        kind, call_id = _kind(item), item.get("call_id", "")
        if kind in _CALLS:
            called[call_id] = kind
        elif kind in _OUTPUTS:
            call = kind.removesuffix("_output")
            if called.get(call_id) != call:
                words = call.replace("_", " ")
                raise _input(f"No tool call found for {words} output with call_id {call_id}.")
            answered.add(call_id)
    for call_id, call in called.items():
        if call_id not in answered:
            raise _input(f"No tool output found for {call.replace('_', ' ')} {call_id}.")


def _check_encrypted(items: Sequence[Json], ids: IdFactory, *, stores: bool) -> None:
    """Refuse a reasoning item that is unknown or changed, or not followed by an item of the model.

    Only a service that `stores` items knows one without its encrypted content.
    """
    for item, following in zip(items, [*items[1:], {}], strict=True):
        if _kind(item) != "reasoning":
            continue
        item_id, content = item["id"], item.get("encrypted_content")
        if content is None and not stores:
            raise Refused(
                "not_found",
                f"Item with id '{item_id}' not found. Items are not persisted when `store` is set"
                " to false. Try again with `store` set to true, or remove this item from your"
                " input.",
                param="input",
            )
        if content is not None and content != ids.encrypted(item_id):
            raise invalid(
                f"The encrypted content {content[:4]}...{content[-4:]} could not be verified."
                " Reason: Encrypted content could not be decrypted or parsed.",
                None,
                "invalid_encrypted_content",
            )
        if not _is_models(following):
            raise _input(
                f"Item '{item_id}' of type 'reasoning' was provided without its required"
                " following item."
            )


def _check_reasoning_returned(items: Sequence[Json], start: int, ids: IdFactory) -> None:
    """Refuse a call that had reasoning before it and comes back without that item."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if _kind(item) == "reasoning":
            seen.add(item["id"])
        # Before `start`, a call that comes back without its item id needs no reasoning item.
        if _kind(item) not in _CALLS or not (item.get("id") or index > start):
            continue
        issued = ids.read_call("responses", item["call_id"])
        if issued is None or not issued.reasoned:
            continue
        needed = ids.item("rs_", issued.nonce)
        if needed not in seen:
            raise _input(
                f"Item '{item.get('id') or item['call_id']}' of type '{_kind(item)}' was provided"
                f" without its required 'reasoning' item: '{needed}'."
            )
