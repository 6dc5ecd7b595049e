"""Numbers that are none, or too large, or in the wrong place."""

from collections.abc import Iterator

from tests.hostile.cases import MODELS, Step, case
from tests.hostile.wires import Anthropic, Chat, Responses, Wire, dump

_DIGITS = 10**400


def _answer_with_usage(wire: Wire, tokens: object) -> bytes:
    return wire.begin() + wire.usage(tokens) + wire.text("counted") + wire.finish(tokens=tokens)


@case("done", "failed")
def usage_of_400_digits(wire: Wire) -> Iterator[Step]:
    """10^400 tokens: no figure of lfg's overflows, now or when the run is shown again."""
    yield _answer_with_usage(wire, _DIGITS)


@case("done", "failed")
def negative_usage(wire: Wire) -> Iterator[Step]:
    """-10^15 tokens."""
    yield _answer_with_usage(wire, -(10**15))


@case("done", "failed")
def usage_no_number(wire: Wire) -> Iterator[Step]:
    """NaN tokens, then infinitely many."""
    yield _answer_with_usage(wire, float("nan" if wire.request_number % 2 else "inf"))


@case("done", "failed")
def usage_of_other_types(wire: Wire) -> Iterator[Step]:
    """Tokens as text, a list, a fraction, true, 1e20."""
    several = ["7", [7], {"n": 7}, 7.5, True, None, 1e20, 1e308]
    usages = b"".join(wire.usage(tokens) for tokens in several)
    yield wire.begin() + usages + wire.text("counted") + wire.finish(tokens="many")


@case("done", "failed")
def negative_indexes(wire: Wire) -> Iterator[Step]:
    """Deltas, blocks and calls at places below zero, at 10^30, at NaN and at "x"."""
    yield wire.begin()
    for index in (-1, -(10**30), 10**30, 1e300, float("nan"), "x", None, [0], True):
        yield _record_at(wire, index)
    yield wire.text("in its place") + wire.finish()


def _record_at(wire: Wire, index: object) -> bytes:
    match wire:
        case Anthropic():
            block = {"type": "text", "text": ""}
            begun = wire.typed("content_block_start", index=index, content_block=block)
            delta = {"type": "text_delta", "text": "out of place "}
            return begun + wire.typed("content_block_delta", index=index, delta=delta)
        case Chat():
            function = {"name": "list_files", "arguments": "{}"}
            call = {"index": index, "id": "c", "type": "function", "function": function}
            choice = {"index": index, "delta": {"content": "out of place ", "tool_calls": [call]}}
            return wire.record(dump({"choices": [choice]}))
        case Responses():
            at = {"output_index": index, "content_index": index, "item_id": "m"}
            piece = wire.typed("response.output_text.delta", **at, delta="out of place ")
            return piece + wire.typed("response.function_call_arguments.delta", **at, delta="{")
        case _:
            fields = {"type": "token", "index": index, "seq": index, "content": "out of place "}
            return wire.record(dump(fields))


@case("done", "failed", wires=MODELS, keys={"tools": ["list_files"]})
def huge_place_of_a_call(wire: Wire) -> Iterator[Step]:
    """A call at place 10^9: no list is made that long."""
    yield wire.begin()
    yield (wire.call("c", "list_files", "{}", index=10**9) if wire.is_first else wire.text("so"))
    yield wire.finish("tool" if wire.is_first else "end")


@case("done", "failed", wires=("agent-sse",))
def reconnection_time_nobody_waits(wire: Wire) -> Iterator[Step]:
    """`retry:` of 400 digits, and an id of a megabyte."""
    begun = wire.begin() + b"retry: " + b"9" * 400 + b"\nid: " + b"7" * 1_000_000 + b"\n"
    yield begun + wire.text("on") + (wire.finish() if wire.request_number > 1 else b"")
