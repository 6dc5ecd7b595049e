"""Judges a handshake with an installed agent (`handshake` makes it): findings, without I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lfgtui.doctor.findings import Finding
from lfgtui.errors import did_you_mean
from lfgtui.providers.acp.handshake import PROTOCOL
from lfgtui.providers.lenient_json import JsonObject, child, number, objects_in, text
from lfgtui.settings.agents import known_program
from lfgtui.settings.providers import ProviderConfig

_SHOWN = 7
"""Most values of an option that are listed, besides the one in force."""

_UNTRIED = "not checked: some agents check sign-in only at the first prompt"

_OWN_PROGRAM = "sign in with the agent's own program"

# The fields of `session/new`'s answer for mode and model: the config's name, the field, and in it
# the keys of a value's id and of the one in force.
_OWN_FIELDS = (
    ("mode", "modes", "id", "currentModeId"),
    ("model", "models", "modelId", "currentModelId"),
)


@dataclass(slots=True)
class Handshake:
    """Observations of one start. Moments are in seconds since its beginning, None if not reached.

    `agent` and `session` are the answers to `initialize` and `session/new`. `failure` is a message
    about what went wrong, unless it is that the agent `needs_sign_in`.
    """

    settings: ProviderConfig
    program: str
    answered_at: float | None = None
    ready_at: float | None = None
    agent: JsonObject = field(default_factory=dict)
    session: JsonObject = field(default_factory=dict)
    needs_sign_in: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A setting that an agent offers for its conversations: the ids of its values, and of the one
    in force, "" if unknown."""

    name: str
    values: Sequence[str]
    value: str


def findings_of(seen: Handshake) -> Iterator[Finding]:
    """Yield the findings in the order of the handshake, up to what stopped it."""
    yield Finding("program", "ok", seen.program)
    if seen.answered_at is None:
        yield Finding("start", "fix", seen.failure)
        return
    about = child(seen.agent, "agentInfo")
    name = " ".join(filter(None, (text(about, "title", "name"), text(about, "version"))))
    version = number(seen.agent, "protocolVersion")
    if version != PROTOCOL:
        other = "no version" if version is None else f"version {version}"
        why = f"{name or 'it'} speaks {other} of the protocol, lfg version {PROTOCOL}"
        yield Finding("agent", "fix", why, "update the agent, or lfg")
        return
    yield Finding("agent", "ok", f"{name or 'nameless'}, started in {seen.answered_at:.1f} s")
    if seen.needs_sign_in:
        yield Finding("sign-in", "fix", "it is not signed in", _sign_in(seen) or _OWN_PROGRAM)
    elif seen.ready_at is None:
        yield Finding("session", "fix", seen.failure)
    else:
        yield Finding("session", "ok", f"ready after {seen.ready_at:.1f} s")
        if how := _sign_in(seen):
            yield Finding("sign-in", "note", _UNTRIED, how)
        yield _resuming(seen.agent)
        yield from _settings(seen)


def _sign_in(seen: Handshake) -> str:
    """Return how to sign in: lfg's command for a known agent, or else the agent's own words."""
    if (known := known_program(seen.settings.command)) is not None:
        return f"run `{known.sign_in}`"
    methods = (text(one, "description", "name") for one in _list(seen.agent, "authMethods"))
    return "; ".join(filter(None, methods))


def _resuming(agent: JsonObject) -> Finding:
    abilities = child(agent, "agentCapabilities")
    if abilities.get("loadSession") is True or "resume" in child(abilities, "sessionCapabilities"):
        return Finding("resume", "ok", "it can resume a conversation")
    anew = "`lfg resume` starts a new one"
    return Finding("resume", "note", f"it cannot resume a conversation: {anew}")


def _settings(seen: Handshake) -> Iterator[Finding]:
    """Yield what the agent offers, and what the config asks for that it does not offer."""
    offered = {option.name: option for option in _options(seen.session)}
    wanted = {"mode": seen.settings.mode, "model": seen.settings.model, **seen.settings.options}
    for name, option in offered.items():
        yield _setting(option, wanted.pop(name, None))
    for name, value in wanted.items():
        if value is not None:
            yield Finding(name, "fix", f'it has no option "{name}"{did_you_mean(name, offered)}')


def _setting(option: Option, wanted: str | bool | None) -> Finding:
    """Compare the config's value, if `wanted`, with those offered; it, or the one in force, comes
    first."""
    value = option.value if wanted is None else _word(wanted)
    others = [one for one in option.values if one != value]
    more = len(others) - _SHOWN
    listed = ", ".join(others[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    if wanted is not None and option.values and len(others) == len(option.values):
        return Finding(option.name, "fix", f'it has no "{value}"', f"choose one of {listed}")
    known = f"{value}; it also has {listed}" if value and others else value or listed
    return Finding(option.name, "ok", known)


def _options(session: JsonObject) -> Iterator[Option]:
    """Yield the options of a session, by the names that the config has for them.

    Modes and models also have fields of their own, which are all that older agents send.
    """
    named: dict[str, Option] = {}
    for key, plural, identity, current in _OWN_FIELDS:
        table = child(session, plural)
        if values := [text(one, identity) for one in _list(table, f"available{plural.title()}")]:
            named[key] = Option(key, values, text(table, current))
    for one in _list(session, "configOptions"):
        category, name = text(one, "category"), text(one, "id")
        name = category if category in named or category in ("mode", "model") else name
        is_switch = text(one, "type") == "boolean"
        values = (
            ["true", "false"] if is_switch else [text(value, "value") for value in _values(one)]
        )
        named[name] = Option(name, values, _word(one.get("currentValue")))
    yield from named.values()


def _values(option: JsonObject) -> Iterator[JsonObject]:
    """Yield the values of an option, which may be in groups."""
    for value in _list(option, "options"):
        yield from _list(value, "options") if "options" in value else [value]


def _word(value: object) -> str:
    """Return a value as the config and the protocol write it; `true` for True."""
    return str(value).lower() if isinstance(value, bool) else str(value or "")


def _list(record: JsonObject, key: str) -> list[JsonObject]:
    return objects_in(record.get(key), key)
