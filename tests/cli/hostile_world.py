"""Files, folders, names and a stored run in which every text is an attack.

What a run, a ticket and a config hold is made from their declarations, so
that a new field is hostile by itself.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import tomli_w
from msgspec import inspect

from lfgtui.history.transfer import EndLine, RunLine, TicketLine
from lfgtui.model import events as e
from lfgtui.model.event_json import EVENTS, encode_event
from lfgtui.model.ticket_keys.approvals import ALL_TOOLS
from lfgtui.model.tickets import Ticket
from lfgtui.model.tickets_file import TicketsDocument, TicketTable
from lfgtui.settings.config import Config
from lfgtui.settings.providers import ProviderConfig

RUN = "20260304-051300-a1b2"

_FIRST: tuple[type[e.Event], ...] = (e.TicketQueued, e.AttemptStarted, e.UserMessage, e.RequestSent)
_LAST = (e.ResponseFinished, e.Retrying, e.FailedOver)
_ENDINGS: list[type[e.Event]] = [*e.Ending.__subclasses__()]


def value_of(kind: inspect.Type, text: str) -> object:
    """A value of the type as JSON has it, with the text wherever there may be some."""
    match kind:
        case inspect.StrType() | inspect.AnyType() | inspect.CustomType():
            return text
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.BoolType():
            return True
        case inspect.LiteralType(values):
            return values[0]
        case inspect.DictType(key, value):
            return {str(value_of(key, text)): value_of(value, text)}
        case inspect.ListType(item) | inspect.VarTupleType(item):
            return [value_of(item, text)]
        case inspect.TupleType(items):
            return [value_of(item, text) for item in items]
        case inspect.UnionType(types):
            kinds = (inspect.DictType, inspect.StrType, inspect.Type)  # most text first
            some = [t for t in types if not isinstance(t, inspect.NoneType)]
            return value_of(next(t for k in kinds for t in some if isinstance(t, k)), text)
        case inspect.StructType(fields=fields, tag_field=tag_field, tag=tag):
            head = {tag_field: tag} if tag_field else {}
            return {**head, **{f.encode_name: value_of(f.type, text) for f in fields}}
        case _:
            return None


def event(kind: type[e.Event], text: str) -> e.Event:
    """One event of the kind, every text of it hostile."""
    return msgspec.convert(value_of(inspect.type_info(kind), text), kind)


def events(ending: type[e.Event], text: str) -> Iterator[e.Event]:
    """The life of a ticket in which everything happens that can happen."""
    middle = [k for k in EVENTS if k not in (*_FIRST, *_LAST, *_ENDINGS)]
    for kind in (*_FIRST, *middle):
        yield event(kind, text)
    for number, tool in enumerate((*ALL_TOOLS, text)):
        yield from _call(f"{text}{number}", tool, text)
    yield e.TextDelta(markdown(text))
    for kind in _LAST:
        yield event(kind, text)
    yield event(e.AttemptStarted, text)
    yield event(e.RequestSent, text)
    yield e.TextDelta(text)
    yield event(ending, text)


def _call(call_id: str, tool: str, text: str) -> Iterator[e.Event]:
    keys = ("path", "command", "pattern", "content", "old", "new", "old_string", "new_string", text)
    arguments: dict[str, object] = dict.fromkeys(keys, f"{text}\n{text}")
    yield e.ToolCallStarted(call_id, tool)
    yield e.ToolArgumentsDelta(call_id, json.dumps(arguments, ensure_ascii=False))
    yield e.ToolCallRequested(call_id, tool, arguments)
    yield e.ApprovalRequested(call_id, tool, text)
    yield e.ApprovalGiven(call_id)
    yield e.ToolOutputDelta(call_id, "stdout", f"{text}\n")
    yield e.ToolCallFinished(call_id, f"{text}\n{text}", text, 1, 0.5)


def markdown(text: str) -> str:
    """The text wherever Markdown may have one."""
    line = text.replace("\n", " ")
    return (
        f"# {line}\n\n{line} **{line}** `{line}` [{line}](https://a.example/{line} '{line}')\n\n"
        f"[x](<https://b.example/{line}>) <https://c.example/{line}> ![{line}]({line})\n\n"
        f"[y](javascript:{line}) [z](file:///{line})\n\n"
        f"- {line}\n  1. {line}\n\n> {line}\n\n"
        f"```{line}\n{line}\n```\n\n```python\n'{line}' # {line}\n```\n\n"
        f"| {line} | b |\n|---|---|\n| {line} | {line} |\n\n<div>{line}</div>\n\n"
    )


def ticket(name: str, text: str, workspace: Path) -> Ticket:
    """A ticket that says the text in every field that may say anything."""
    made = value_of(inspect.type_info(Ticket), text)
    assert isinstance(made, dict)
    own = {"id": name, "workspace": str(workspace), "needs": [], "tools": list(ALL_TOOLS)}
    return msgspec.convert({**made, **own, "approve": "ask", "worktree": False}, Ticket)


def run_lines(text: str, workspace: Path, run: str = RUN) -> bytes:
    """An export of a run with a ticket for each way to end, for `lfg import`."""
    names = {kind.__name__: kind for kind in _ENDINGS}
    started = 1_772_600_000.0
    lines = [msgspec.json.encode(RunLine(run, text, "failed", started, started + 60, text))]
    lines += [msgspec.json.encode(TicketLine(run, ticket(name, text, workspace))) for name in names]
    count = 0
    for name, ending in names.items():
        attempt = 0
        for seq, one in enumerate(events(ending, text), 1):
            attempt += isinstance(one, e.AttemptStarted)
            entry = e.Entry(run, name, max(1, attempt), seq, started + seq, one)
            lines.append(_line(entry))
            count += 1
    return b"\n".join([*lines, msgspec.json.encode(EndLine(count))]) + b"\n"


def _line(entry: e.Entry) -> bytes:
    identity = {
        "run": entry.run,
        "ticket": entry.ticket,
        "attempt": entry.attempt,
        "seq": entry.seq,
        "at": entry.at,
    }
    return msgspec.json.encode(identity)[:-1] + b"," + encode_event(entry.event)[1:]


def bad_imports(text: str) -> Iterator[bytes]:
    """Files that `lfg import` refuses, each for another reason."""
    quoted = json.dumps(text).encode()
    run = msgspec.json.encode(RunLine(RUN, text, "done", 1.0))
    yield text.encode()
    yield b'{"type":' + quoted + b"}"
    yield b'{"type":"lfg_run","run":' + quoted + b',"title":"","state":"done","started_at":1}'
    yield b'{"type":"lfg_run","run":"x","title":"","state":' + quoted + b',"started_at":1}'
    yield b'{"type":"lfg_run","version":' + quoted + b"}"
    yield run + b'\n{"type":"lfg_ticket","ticket":{' + quoted + b":" + quoted + b',"extra":1}}'
    yield run + b'\n{"type":"text_delta","ticket":' + quoted + b',"attempt":1,"seq":1,"at":1}'
    yield (
        run
        + b'\n{"type":"text_delta","text":"","ticket":'
        + quoted
        + (b',"attempt":1,"seq":1,"at":1}')
    )


def bad_tickets(text: str) -> Iterator[str]:
    """Tickets files, each with the text in another place; most are refused."""
    good: dict[str, object] = {"id": "a", "prompt": "x", "provider": "openai", "model": "none"}
    yield f'[[ticket]]\nid = "a"\nprompt = {text}'
    yield f"[{text}]"
    yield toml({"ticket": [good], text: text})
    yield toml({"ticket": [good, good], "title": text})
    for field in inspect.type_info(TicketTable).fields:  # type: ignore[attr-defined]
        name = field.encode_name
        for value in (text, [text], {text: text}, 1, value_of(field.type, text)):
            yield toml({"ticket": [{**good, name: value}]})
        if name != "id":
            yield toml({"ticket": [good], "defaults": {name: text}})
    yield toml({"ticket": [{**good, text: 1}]})
    for field in inspect.type_info(TicketsDocument).fields:  # type: ignore[attr-defined]
        yield toml({field.encode_name: text})
    yield toml({"ticket": [{"id": text, "prompt": text}, {"id": text, "prompt": text}]})


def bad_configs(text: str) -> Iterator[str]:
    """Config files, each with the text in another place."""
    yield f"theme = {text}"
    yield toml({text: text})
    for field in inspect.type_info(Config).fields:  # type: ignore[attr-defined]
        name = field.encode_name
        yield from (toml({name: v}) for v in (text, {text: text}, {text: {text: text}}))
        if isinstance(field.type, inspect.StructType):
            for inner in field.type.fields:
                yield toml({name: {inner.encode_name: text}})
                yield toml({name: {inner.encode_name: value_of(inner.type, text)}})
    for field in inspect.type_info(ProviderConfig).fields:  # type: ignore[attr-defined]
        for key in ("mine", text):
            value = value_of(field.type, text)
            if value is not None:
                yield toml({"providers": {key: {field.encode_name: value}}})
            yield toml({"providers": {key: {field.encode_name: text}}})


def good_config(text: str, root: str) -> str:
    """A config that is in force, with the text wherever it may say anything."""
    return toml(
        {
            "model": text,
            "keys": {},
            "history": {"secrets": ["neverfoundsecret"]},
            "retry": {"attempts": 1},
            "providers": {
                utf8_name(text): {"wire": "openai-chat", "base_url": f"{root}/v1"},
                "agent": {"wire": "agent-sse", "base_url": f"{root}/agent", "model": text},
                "good": {"wire": "openai-chat", "base_url": f"{root}/v1", "model": "hostile"},
            },
        }
    )


def utf8_name(text: str) -> str:
    """The text as a file's name, as far as one may say it."""
    return text.replace("/", "").replace("\0", "").encode()[:200].decode(errors="ignore")


def hostile_name(text: str) -> str:
    """The same, and bytes that are no UTF-8: C1 as Latin-1 has it."""
    return f"{utf8_name(text)}\udc9b6n\udcff"


def argument(text: str) -> str:
    """The text as an argument of a command."""
    return text.replace("\0", "")


def toml(document: dict[str, object]) -> str:
    """The document as TOML."""
    return tomli_w.dumps(document)
