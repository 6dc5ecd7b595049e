"""OpenAI's newer wire: `POST /v1/responses`, streamed as numbered events.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Mapping

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.playback import Ended, Ping, Reply, Segment, Started, WireStep
from lfgtui.simulator.request import Refused, Request
from lfgtui.simulator.wires.base import Json, dump, record
from lfgtui.simulator.wires.openai import SERVER_ERROR, OpenAIWire, error_body
from lfgtui.simulator.wires.responses_request import check


class ResponsesWire(OpenAIWire):
    """The Responses API."""

    path = "/v1/responses"
    params = "openai.types.responses.response_create_params:ResponseCreateParamsBase"

    def read(self, body: Json, headers: Mapping[str, str], ids: IdFactory) -> Request:
        return check(body, ids)

    def writer(self, reply: Reply, ids: IdFactory, body: Json) -> "ResponsesWriter":
        return ResponsesWriter(reply, ids, body)


class ResponsesWriter:
    """Writes one response; much of the request is repeated in it."""

    def __init__(self, reply: Reply, ids: IdFactory, body: Json) -> None:
        self._reply = reply
        self._ids = ids
        self._body = body
        self._number = 0
        self._padded = (body.get("stream_options") or {}).get("include_obfuscation", True)
        self._reasoning = body.get("reasoning") or {}
        self._summarises = bool(self._reasoning.get("summary"))
        self._encrypts = "reasoning.encrypted_content" in (body.get("include") or ())

    def open(self) -> bytes:
        response = self._response("in_progress", [])
        created = self._event("response.created", {"response": response})
        return created + self._event("response.in_progress", {"response": response})

    def write(self, step: WireStep) -> bytes:
        if isinstance(step, Ping):
            return b": keep-alive\n\n"
        segment = step.segment
        if isinstance(step, Started):
            return self._start(segment)
        if isinstance(step, Ended):
            return self._end(segment)
        if segment.kind == "reasoning":
            if not self._summarises:
                return b""
            at = {**self._at(segment), "summary_index": 0}
            return self._delta("response.reasoning_summary_text.delta", step.text, at)
        if segment.kind == "text":
            at = {**self._at(segment), "content_index": 0, "logprobs": []}
            return self._delta("response.output_text.delta", step.text, at)
        return self._delta("response.function_call_arguments.delta", step.text, self._at(segment))

    def close(self) -> bytes:
        whole = self._whole()
        return self._event(f"response.{whole['status']}", {"response": whole})

    def broken(self) -> bytes:
        failed = self._response("failed", [])
        failed["error"] = {"code": "server_error", "message": SERVER_ERROR}
        error = self._event("error", {"error": error_body(Refused("server"))})
        return error + self._event("response.failed", {"response": failed})

    def body(self) -> bytes:
        return dump(self._whole())

    def _whole(self) -> Json:
        status = "incomplete" if self._reply.stop == "length" else "completed"
        response = self._response(status, [self._item(part) for part in self._reply.segments])
        if status == "incomplete":
            response["incomplete_details"] = {"reason": "max_output_tokens"}
        response["usage"] = self._usage()
        return response

    def _start(self, segment: Segment) -> bytes:
        item = self._item(segment, started=True)
        added = self._event(
            "response.output_item.added", {"item": item, "output_index": segment.index}
        )
        if segment.kind == "text":
            part = self._text_part("")
            added += self._event(
                "response.content_part.added",
                {**self._at(segment), "content_index": 0, "part": part},
            )
        elif segment.kind == "reasoning" and self._summarises:
            part = {"type": "summary_text", "text": ""}
            added += self._event(
                "response.reasoning_summary_part.added",
                {**self._at(segment), "summary_index": 0, "part": part},
            )
        return added

    def _end(self, segment: Segment) -> bytes:
        at = self._at(segment)
        text = segment.text
        done = b""
        if segment.kind == "text":
            at["content_index"] = 0
            done += self._event("response.output_text.done", {**at, "text": text, "logprobs": []})
            part = self._text_part(text)
            done += self._event("response.content_part.done", {**at, "part": part})
        elif segment.kind == "call":
            done += self._event(
                "response.function_call_arguments.done",
                {**at, "arguments": text, "name": segment.name},
            )
        elif self._summarises:
            at["summary_index"] = 0
            done += self._event("response.reasoning_summary_text.done", {**at, "text": text})
            part = {"type": "summary_text", "text": text}
            done += self._event("response.reasoning_summary_part.done", {**at, "part": part})
        item = {"item": self._item(segment), "output_index": segment.index}
        return done + self._event("response.output_item.done", item)

    def _item(self, segment: Segment, *, started: bool = False) -> Json:
        status = "in_progress" if started else "completed" if segment.complete else "incomplete"
        text = "" if started else segment.text
        item: Json = {"id": self._item_id(segment)}
        if segment.kind == "reasoning":
            item |= {"type": "reasoning", "summary": []}
            if self._summarises and text:
                item["summary"] = [{"type": "summary_text", "text": text}]
            if self._encrypts and not started:
                item["encrypted_content"] = self._ids.encrypted(self._item_id(segment))
        elif segment.kind == "text":
            content = [] if started else [self._text_part(text)]
            item |= {"type": "message", "status": status, "content": content, "role": "assistant"}
        else:
            reply = self._reply
            call_id = self._ids.call("responses", reply.nonce, segment.place, reply.reasoning)
            item |= {
                "type": "function_call",
                "status": status,
                "arguments": text,
                "call_id": call_id,
                "name": segment.name,
            }
        return item

    def _item_id(self, segment: Segment) -> str:
        prefix = {"reasoning": "rs_", "text": "msg_", "call": "fc_"}[segment.kind]
        return self._ids.item(prefix, self._reply.nonce, segment.place)

    def _at(self, segment: Segment) -> Json:
        return {"item_id": self._item_id(segment), "output_index": segment.index}

    def _text_part(self, text: str) -> Json:
        return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}

    def _delta(self, name: str, text: str, at: Json) -> bytes:
        fields: Json = {"delta": text, **at}
        if self._padded:
            fields["obfuscation"] = self._ids.obfuscation(self._reply.nonce, self._number)
        return self._event(name, fields)

    def _event(self, name: str, fields: Json) -> bytes:
        number, self._number = self._number, self._number + 1
        return record({"type": name, **fields, "sequence_number": number}, name)

    def _response(self, status: str, output: list[Json]) -> Json:
        body, reply = self._body, self._reply
        return {
            "id": self._ids.item("resp_", reply.nonce),
            "object": "response",
            "created_at": reply.created,
            "status": status,
            "background": False,
            "completed_at": reply.created if status == "completed" else None,
            "error": None,
            "incomplete_details": None,
            "max_tool_calls": None,
            "model": reply.model,
            "output": output,
            "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            "previous_response_id": None,
            "prompt_cache_key": None,
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

    def _usage(self) -> Json:
        reply = self._reply
        return {
            "input_tokens": reply.input_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens},
            "output_tokens": reply.output_tokens,
            "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
            "total_tokens": reply.input_tokens + reply.output_tokens,
        }
