"""Responses requests and the rules of their conversations.

https://platform.openai.com/docs/api-reference/responses. The input is a flat list of
items; of one earlier response it holds several (reasoning, message, function calls).
"""

from collections.abc import Sequence

from lfgtui.simulator.ids import IdFactory
from lfgtui.simulator.request import Entry, Refused, Request, ToolResult, read_conversation
from lfgtui.simulator.wires.base import Json, build_request, text_of
from lfgtui.simulator.wires.openai import cached_part, check_model, invalid, missing


def check(body: Json, ids: IdFactory) -> Request:
    """Return the request in no wire's terms; raises `Refused` with the service's own text."""
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


def _kind(item: Json) -> str:
    """Return an item's type; a message may leave it out."""
    return str(item.get("type", "message"))


def _is_models(item: Json) -> bool:
    return _kind(item) in ("reasoning", "function_call") or item.get("role") == "assistant"


def _entry(item: Json) -> Entry:
    if _kind(item) == "function_call_output":
        return Entry("tool", "", results=[ToolResult(text_of(item["output"]))])
    calls = [item["call_id"]] if _kind(item) == "function_call" else []
    role = "assistant" if _is_models(item) else item.get("role", "")
    return Entry(role, text_of(item.get("content")), calls)


def _input(message: str) -> Refused:
    return invalid(message, "input")


def _check_outputs(items: Sequence[Json]) -> None:
    called: list[str] = []
    answered: set[str] = set()
    for item in items:
        if _kind(item) == "function_call":
            called.append(item["call_id"])
        elif _kind(item) == "function_call_output":
            if item["call_id"] not in called:
                raise _input(
                    f"No tool call found for function call output with call_id {item['call_id']}."
                )
            answered.add(item["call_id"])
    for call_id in called:
        if call_id not in answered:
            raise _input(f"No tool output found for function call {call_id}.")


def _check_encrypted(items: Sequence[Json], ids: IdFactory, *, stores: bool) -> None:
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
    seen: set[str] = set()
    for index, item in enumerate(items):
        if _kind(item) == "reasoning":
            seen.add(item["id"])
        # A call sent back without its item id is let through outside the running loop.
        if _kind(item) != "function_call" or not (item.get("id") or index > start):
            continue
        issued = ids.read_call("responses", item["call_id"])
        if issued is None or not issued.reasoned:
            continue
        needed = ids.item("rs_", issued.nonce)
        if needed not in seen:
            raise _input(
                f"Item '{item.get('id') or item['call_id']}' of type 'function_call' was provided"
                f" without its required 'reasoning' item: '{needed}'."
            )
