"""Records that are damaged, huge, deep, or of types that were not agreed on."""

from collections.abc import Iterator

from tests.hostile.cases import AGENTS, MODELS, Aftermath, Pause, Step, case
from tests.hostile.wires import BINARY, CLOSE, PING, TEXT, Anthropic, Chat, Wire, dump, frame

MEGABYTE = 1024 * 1024
ESCAPES = (
    "\x1b]52;c;cm0gLXJmIH4=\x07\x1b]0;owned\x07\x1b[2J\x1b[6n\x1bc\x9b31m\x9d52;c;eA==\x9c"
    "\x1bP+q544e\x1b\\\x1b]8;;file:///etc/passwd\x1b\\x\x1b]8;;\x1b\\\x08\x7f\x0e\x00"
    "\u202eevil\u2066\u2069 [red]not red[/] [@click=app.quit]x[/] \ud800"
)
"""What would act on a terminal, or on Rich, if it came through."""

BRIEF = {"timeout": 10.0}


@case("done", "failed")
def escapes_everywhere(wire: Wire) -> Iterator[Step]:
    """Escape sequences in text, reasoning, names, ids, arguments: none reaches the terminal."""
    yield wire.begin() + wire.reasoning(ESCAPES) + wire.text(f"# {ESCAPES}\n\n`{ESCAPES}` ")
    yield wire.text(f"[{ESCAPES}](http://x/{ESCAPES}) <http://y/{ESCAPES}>\n\n|{ESCAPES}|\n|-|\n")
    yield wire.text(f"\n```{ESCAPES}\n{ESCAPES}\n```\n")
    if wire.is_first:
        yield wire.call(ESCAPES, f"list_files{ESCAPES}", dump({"path": ESCAPES, ESCAPES: ESCAPES}))
        yield wire.call("b", "run_command", dump({"command": f"printf '%b' {ESCAPES!r}"}))
    yield wire.record(dump({"type": ESCAPES, "object": ESCAPES, "content": ESCAPES}), "x")
    if wire.is_agent:
        for kind in ("status", "source", "tool_output", "tool_result", "error_notice"):
            fields = {"content": ESCAPES, "message": ESCAPES, "url": ESCAPES, "title": ESCAPES}
            yield wire.record(dump({"type": kind, "tool_call_id": ESCAPES, **fields}))
    yield wire.finish("tool" if wire.is_first else "end")


@case("failed")
def error_that_acts(wire: Wire) -> Iterator[Step]:
    """An error in mid-stream whose message holds escapes and a megabyte of more."""
    message = ESCAPES + " no" * (MEGABYTE // 3)
    error = {"type": "invalid_request_error", "message": message, "code": ESCAPES}
    yield wire.begin() + wire.text("so far ")
    yield wire.record(dump({"type": "error", "error": error, "message": message}), "error")


@case("done", "failed")
def deep_json(wire: Wire) -> Iterator[Step]:
    """A million levels of arrays, and of objects."""
    yield wire.begin() + wire.text("shallow ")
    yield wire.record("[" * 1_000_000) + wire.record('{"choices":' * 200_000)
    yield wire.record(dump({"type": "x"})[:-1] + ',"deep":' + "[" * 900 + "]" * 900 + "}")
    yield wire.text("again") + wire.finish()


@case("done", "failed", "limit")
def deep_arguments(wire: Wire) -> Iterator[Step]:
    """A call whose arguments are 100,000 levels deep, in pieces."""
    yield wire.begin() + wire.call_start("c", "list_files")
    yield from (wire.arguments("c", '{"a":[' * 1000) for _ in range(100))
    yield wire.finish("tool")


@case("done", "failed")
def duplicate_keys(wire: Wire) -> Iterator[Step]:
    """Keys that come twice in a record."""
    yield wire.begin() + wire.text("once ")
    yield wire.record('{"type":"token","type":"ping","content":"a","content":["b"],"choices":[],'
                      '"choices":[{"delta":{"content":"c"},"delta":null}]}')  # fmt: skip
    yield wire.text("more") + wire.finish()


@case("done", "failed")
def other_types(wire: Wire) -> Iterator[Step]:
    """Every field of every record as null, a number, a list, an object, true."""
    values: tuple[object, ...] = (
        None,
        7,
        [],
        {},
        [[]],
        [None],
        {"type": []},
        True,
        "",
        [{}],
        1e999,
    )
    for value in values:
        yield from _with_fields(wire, value) if wire.is_first else []
    if wire.request_number > 1:
        yield wire.begin()
    yield wire.text("well") + wire.finish()


def _with_fields(wire: Wire, value: object) -> Iterator[bytes]:
    yield wire.begin() if value is None else b""
    yield wire.record(dump(value))
    match wire:
        case Anthropic():
            for kind in ("message_start", "content_block_start", "content_block_delta", "ping",
                         "content_block_stop", "message_delta"):  # fmt: skip
                fields = ("message", "index", "content_block", "delta", "usage")
                yield wire.typed(kind, **dict.fromkeys(fields, value))
                yield wire.typed(kind, index=0, delta={"type": "text_delta", "text": value})
        case Chat():
            chunks: tuple[dict[str, object], ...] = (
                {"choices": value},
                {"choices": [value]},
                {"choices": [{"delta": value, "index": value}]},
                {"choices": [{"delta": {"content": value, "tool_calls": value}}]},
                {"choices": [{"delta": {"tool_calls": [value]}}]},
                {"choices": [{"delta": {"tool_calls": [{"function": value, "id": value}]}}]},
                {"usage": value, "choices": []},
            )
            for chunk in chunks:
                yield wire.record(dump(chunk))
        case _:
            names = ("item", "delta", "response", "output_index", "content", "usage", "name",
                     "tool_call_id", "input", "message", "data")  # fmt: skip
            kinds = ("response.output_item.added", "response.output_text.delta", "tool_call",
                     "response.function_call_arguments.delta", "token", "status", "tool_output",
                     "tool_result", "message", "messages", "source", "reasoning")  # fmt: skip
            for kind in kinds:
                yield wire.record(dump({"type": kind, **dict.fromkeys(names, value)}), kind)


@case("done", "failed")
def no_utf8(wire: Wire) -> Iterator[Step]:
    """Bytes that are no UTF-8, NUL, lone surrogates, a byte order mark in the middle."""
    yield wire.begin() + wire.text("before ")
    bad = b'{"type":"token","content":"\xff\xfe\xc3(\x00","choices":[]}'
    yield frame(bad) if wire.is_websocket else b"data: " + bad + b"\n\n\xef\xbb\xbf\n\n"
    yield wire.text("\ud83d\ude00 \udfff ")
    yield wire.text("after") + wire.finish()


@case("done", "failed")
def text_of_30_mb(wire: Wire) -> Iterator[Step]:
    """One record of text of 30 MB."""
    yield wire.begin() + wire.text("word and " * (30 * MEGABYTE // 9)) + wire.finish()


@case("done", "failed")
def text_of_30_mb_in_one_line(wire: Wire) -> Iterator[Step]:
    """One record, one word of 30 MB."""
    yield wire.begin() + wire.text("x" * 30 * MEGABYTE) + wire.finish()


@case("done", "failed")
def lines_of_30_mb(wire: Wire) -> Iterator[Step]:
    """One record of 15 million empty lines."""
    yield wire.begin() + wire.text("\n" * (15 * MEGABYTE)) + wire.finish()


@case("done", "failed")
def reasoning_of_30_mb(wire: Wire) -> Iterator[Step]:
    """The same as reasoning."""
    yield wire.begin() + wire.reasoning("hm and " * (30 * MEGABYTE // 7)) + wire.finish()


@case("done", "failed")
def unknown_of_30_mb(wire: Wire) -> Iterator[Step]:
    """A record of 30 MB of a type that nobody knows."""
    padding = dump({"type": "unheard.of", "pad": ["x"] * (7 * MEGABYTE)})
    yield wire.begin() + wire.text("a ") + wire.record(padding) + wire.text("b") + wire.finish()


@case("failed", "limit", keys=BRIEF)
def endless_record(wire: Wire) -> Iterator[Step]:
    """A record that does not end."""
    yield wire.begin() + wire.text("so far ")
    yield frame(b"x" * 100, is_final=False) if wire.is_websocket else b'data: {"x":"'
    while True:
        block = b"y" * MEGABYTE
        yield frame(block, 0, is_final=False) if wire.is_websocket else block


@case("failed", "limit", keys=BRIEF, wires=("anthropic", "openai-chat", "agent-sse"))
def endless_data_lines(wire: Wire) -> Iterator[Step]:
    """`data:` after `data:` and never a blank line."""
    yield wire.begin() + wire.text("so far ")
    while True:
        yield b"data: y\n" * 10000


@case("done", "failed")
def giant_names(wire: Wire) -> Iterator[Step]:
    """Calls whose name, or whose id, is a megabyte long."""
    yield wire.begin()
    if wire.is_first:
        yield wire.call("c", "n" * MEGABYTE, "{}") + wire.call(
            "i" * MEGABYTE, "list_files", "{}", 1
        )
    yield wire.text("named") + wire.finish("tool" if wire.is_first else "end")


@case("done", "failed", "limit", keys={"max_turns": 2, "tools": ["list_files"]})
def ten_thousand_calls(wire: Wire) -> Iterator[Step]:
    """10,000 calls in one response."""
    yield wire.begin()
    if wire.is_first:
        for index in range(10_000):
            yield wire.call(f"c{index}", "list_files", "{}", index)
    yield wire.text("all") + wire.finish("tool" if wire.is_first else "end")


def _nothing_removed(after: Aftermath) -> Iterator[str]:
    if not (after.workspace / "build" / "keep").exists():
        yield "a call ran that the model had not made: build/keep is gone"


@case("done", "failed", wires=MODELS, look=_nothing_removed)
def damaged_record_in_a_call(wire: Wire) -> Iterator[Step]:
    """A record of a call's arguments is unreadable: the call with the rest of them does not run."""
    yield wire.begin()
    if wire.request_number > 2:
        yield wire.text("never mind") + wire.finish()
        return
    if wire.is_first:
        yield wire.call("a", "run_command", '{"command": "mkdir -p build && touch build/keep"}')
        yield wire.finish("tool")
        return
    yield wire.call_start("b", "run_command") + wire.arguments("b", '{"command": "rm -rf ./build')
    damaged = wire.arguments("b", "/cache/tmp")
    yield damaged.replace(b"/cache/", b'/cache"/')
    yield wire.arguments("b", '"}') + wire.finish("tool")


@case("done", "failed", wires=MODELS)
def record_cut_in_the_text(wire: Wire) -> Iterator[Step]:
    """Records that are no JSON, between good ones: asked for again, not told as whole."""
    yield wire.begin() + wire.text("delete everything ")
    if wire.is_first:
        yield wire.record('{"type":"content_block_delta","choices":[{"delta":{"content":"but')
    yield wire.text("on Friday") + wire.finish()


# The WebSocket's own


@case("failed", "limit", wires=("agent-websocket",), keys=BRIEF)
def frames_that_must_not_be(wire: Wire) -> Iterator[Step]:
    """Reserved opcodes, masked frames, a ping of a kilobyte, a close with a bad code."""
    bad = (frame(b"x", 0x3), frame(b"x" * 1000, PING), frame(b"\x00\x01", CLOSE), b"\x81\x81abcdx")
    yield wire.begin() + wire.text("so far ") + bad[(wire.request_number - 1) % len(bad)]
    yield "silence"


@case("failed", "limit", wires=("agent-websocket",), keys=BRIEF)
def frame_of_an_exabyte(wire: Wire) -> Iterator[Step]:
    """A frame's head that announces 2^62 bytes."""
    yield wire.begin() + bytes([0x80 | TEXT, 127]) + (1 << 62).to_bytes(8, "big") + b"x" * MEGABYTE
    yield "silence"


@case("done", "failed", "limit", wires=("agent-websocket",), keys=BRIEF)
def endless_empty_fragments(wire: Wire) -> Iterator[Step]:
    """A message of empty fragments that never ends."""
    yield wire.begin() + frame(b"", TEXT, is_final=False)
    while True:
        yield frame(b"", 0, is_final=False) * 10000


@case("done", "failed", "limit", wires=("agent-websocket",), keys=BRIEF)
def binary_messages(wire: Wire) -> Iterator[Step]:
    """Binary messages, of UTF-8 and of anything."""
    yield wire.begin() + frame(b'{"type":"token","content":"bin"}', BINARY)
    yield frame(bytes(range(256)) * 100, BINARY) + wire.text("ary") + wire.finish()


@case("failed", wires=("agent-websocket",))
def close_reason_that_acts(wire: Wire) -> Iterator[Step]:
    """A close whose reason holds escape sequences."""
    yield wire.begin() + wire.text("so ") + frame(b"\x0f\xa0\x1b]52;c;eA==\x07" + b"!" * 90, CLOSE)


@case("done", "failed", wires=AGENTS)
def arrays_of_records(wire: Wire) -> Iterator[Step]:
    """100,000 events in one message, in an array."""
    yield wire.begin() + wire.record(
        "[" + ",".join(['{"type":"token","content":"x "}'] * 100_000) + "]"
    )
    yield Pause(0.1)
    yield wire.finish()
