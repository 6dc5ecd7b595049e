"""What a model can have lfg's own tools do, and calls that are not what they seem."""

from collections.abc import Iterator, Mapping

from tests.hostile.cases import MODELS, ONE, Aftermath, Step, case
from tests.hostile.wires import Wire, dump


def _commands(wire: Wire, *calls: tuple[str, Mapping[str, object]]) -> Iterator[Step]:
    """One call a turn, then the answer."""
    yield wire.begin()
    if wire.request_number <= len(calls):
        name, arguments = calls[wire.request_number - 1]
        yield wire.call(f"c{wire.request_number}", name, dump(arguments)) + wire.finish("tool")
    else:
        yield wire.text("that was it") + wire.finish()


def _run(command: str) -> tuple[str, Mapping[str, object]]:
    return "run_command", {"command": command, "timeout": 6}


def _calls(after: Aftermath) -> list[Mapping[str, object]]:
    attempts = after.ticket.get("attempts", [])
    assert isinstance(attempts, list)
    return [call for attempt in attempts for call in attempt["tool_calls"]]


def _both_told(after: Aftermath) -> Iterator[str]:
    """Each of the two calls is stored with what was its own, if it ran."""
    written, run = ((after.workspace / name).exists() for name in ("one", "two"))
    finished = {call["name"] for call in _calls(after) if call["error"] is None and call["output"]}
    if written and "write_file" not in finished:
        yield "write_file ran and is not shown as done"
    if run and "run_command" not in finished:
        yield "run_command ran and is not shown as done"


@case("done", "failed", wires=MODELS, look=_both_told)
def two_calls_of_one_id(wire: Wire) -> Iterator[Step]:
    """Two calls with one id in a response: each has its own outcome."""
    yield wire.begin()
    if wire.is_first:
        yield wire.call("same", "write_file", dump({"path": "one", "content": "1"}))
        yield wire.call("same", "run_command", dump({"command": "touch two; echo ran"}), 1)
    yield wire.text("both") + wire.finish("tool" if wire.is_first else "end")


@case("done", "failed", wires=MODELS, look=_both_told)
def one_id_in_two_turns(wire: Wire) -> Iterator[Step]:
    """The id of an earlier turn's call again."""
    yield wire.begin()
    if wire.is_first:
        yield wire.call("same", "write_file", dump({"path": "one", "content": "1"}))
    if wire.request_number == 2:
        yield wire.call("same", "run_command", dump({"command": "touch two; echo ran"}))
    yield wire.text("both") + wire.finish("tool" if wire.request_number < 3 else "end")


@case("done", "failed", wires=MODELS)
def ids_that_are_none(wire: Wire) -> Iterator[Step]:
    """Calls with an empty id."""
    yield wire.begin()
    if wire.is_first:
        yield wire.call("", "list_files", "{}") + wire.call("", "list_files", '{"path": "."}', 1)
    yield wire.text("both") + wire.finish("tool" if wire.is_first else "end")


def _warned_of_child(after: Aftermath) -> Iterator[str]:
    outputs = " ".join(str(call["output"]) for call in _calls(after))
    alive = after.workspace / "alive"
    if alive.exists() and "was stopped" in outputs:
        yield "it says that what was left in the background was stopped, and it lived on"


@case("done", wires=ONE, look=_warned_of_child)
def setsid_child(wire: Wire) -> Iterator[Step]:
    """A child in a session of its own: it is not reported as stopped while it lives."""
    child = "setsid sh -c 'sleep 3; touch alive' & echo started"
    yield from _commands(wire, _run(child), _run("sleep 4"))


@case("done", "limit", wires=ONE, keys={"timeout": 25.0})
def output_without_end(wire: Wire) -> Iterator[Step]:
    """Commands that print for ever: lines, NUL, one line, escapes, marks."""
    yield from _commands(
        wire,
        _run("timeout 2 yes"),
        _run("timeout 1 cat /dev/zero"),
        _run("timeout 1 cat /dev/urandom"),
        _run(r"timeout 1 yes $(printf '\033]52;c;eA==\007\033[2J\302\2332J\r')"),
        _run("timeout 1 yes $(printf 'e%.0s' 1; yes \u0301 | head -5000 | tr -d '\\n')"),
    )


@case("done", "limit", wires=ONE, keys={"timeout": 25.0})
def processes_without_end(wire: Wire) -> Iterator[Step]:
    """500 children that ignore SIGTERM and hold the pipes."""
    spawn = "for i in $(seq 200); do (trap '' TERM HUP; sleep 30) & done; echo spawned"
    yield from _commands(wire, _run(spawn), _run("echo and on"))


@case("done", "limit", wires=ONE, keys={"timeout": 25.0})
def files_that_wait(wire: Wire) -> Iterator[Step]:
    """Reading a pipe, a device, a folder, a link to itself."""
    make = "mkfifo fifo; ln -s loop loop; ln -s /dev/zero zero; mkdir folder; mkfifo out"
    paths = ("fifo", "zero", "loop", "folder", "/dev/tty", "/proc/self/mem", "\x00", "a" * 5000)
    reads: list[tuple[str, Mapping[str, object]]] = [("read_file", {"path": p}) for p in paths]
    write: Mapping[str, object] = {"path": "out", "content": "x"}
    yield from _commands(wire, _run(make), *reads, ("write_file", write))


@case("done", "limit", wires=ONE, keys={"timeout": 25.0})
def searches_without_end(wire: Wire) -> Iterator[Step]:
    """Patterns and globs that backtrack."""
    make = "yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -20000 > a"
    yield from _commands(
        wire,
        _run(make),
        ("search_files", {"pattern": "(a+)+$b"}),
        ("search_files", {"pattern": "(a|aa)*" * 20 + "b"}),
        ("search_files", {"pattern": "(" * 50_000}),
        ("list_files", {"pattern": "**/" * 300 + "x"}),
        ("list_files", {"pattern": "*a" * 300 + "b"}),
    )


@case("done", "limit", wires=ONE, keys={"timeout": 25.0})
def hint_of_an_edit(wire: Wire) -> Iterator[Step]:
    """An edit whose hint would compare everything with everything."""
    make = "yes ab | head -400000 > many; yes ba | head -150 | tr -d '\\n' > x;"
    make += " yes $(cat x) | head -2000 >> many"
    old = "\n".join(["ab"] * 100_000 + ["c"])
    yield from _commands(
        wire,
        _run(make),
        ("edit_file", {"path": "many", "old": old, "new": "x"}),
        ("edit_file", {"path": "many", "old": "ba" * 99 + "x", "new": "x"}),
    )


@case("done", "failed", "limit", wires=ONE, keys={"max_turns": 6})
def arguments_that_lie(wire: Wire) -> Iterator[Step]:
    """Times of 1e400 s, below zero, NaN; line numbers of 10^400; keys that are none."""
    yield wire.begin()
    if wire.is_first:
        sent = ('{"command":"echo x","timeout":1e400}', '{"command":"echo x","timeout":-1}',
                '{"command":"echo x","timeout":NaN}', '{"command":["rm"],"timeout":1}',
                '{"command":"echo x","command":"echo y"}', '{"command":"\\u0000"}', "[]", "null",
                '{"command":"\\ud800"}')  # fmt: skip
        for index, arguments in enumerate(sent):
            yield wire.call(f"c{index}", "run_command", arguments, index)
        lines = f'{{"path":"x","start_line":{10**400}}}'
        yield wire.call("lines", "read_file", lines, len(sent))
    yield wire.text("so") + wire.finish("tool" if wire.is_first else "end")
