"""What a handshake with an agent means, without an agent."""

from typing import Any

import pytest

from lfgtui.doctor.agents import Handshake, findings_of
from lfgtui.doctor.findings import Finding
from lfgtui.providers.lenient_json import JsonObject
from lfgtui.settings.providers import PRESETS, ProviderConfig

CLAUDE: JsonObject = {
    "protocolVersion": 1,
    "agentCapabilities": {"loadSession": True, "sessionCapabilities": {"resume": {}}},
    "agentInfo": {"name": "@a/claude-agent-acp", "title": "Claude Agent", "version": "0.49.0"},
    "authMethods": [],
}
SESSION: JsonObject = {
    "sessionId": "s",
    "modes": {
        "currentModeId": "default",
        "availableModes": [{"id": "auto"}, {"id": "default"}, {"id": "plan"}],
    },
    "configOptions": [
        {
            "id": "brain",
            "category": "model",
            "type": "select",
            "currentValue": "opus[1m]",
            "options": [
                {"group": "g", "options": [{"value": "sonnet"}, {"value": "opus[1m]"}]},
                *({"value": f"m{number}"} for number in range(10)),
            ],
        },
        {"id": "effort", "category": "thought_level", "options": [{"value": "low"}]},
        {"id": "web", "type": "boolean", "currentValue": True},
    ],
}


SIGN_IN = (
    *("sign-in", "note", "not checked: some agents check sign-in only at the first prompt"),
    "run `claude-agent-acp --cli auth login`",
)


def said(settings: ProviderConfig, **seen: Any) -> list[tuple[str, str, str, str]]:
    """The findings, but for the program and the name of the agent that is there."""
    usual = {"answered_at": 0.52, "ready_at": 1.3, "agent": CLAUDE, "session": SESSION}
    shake = Handshake(settings, "/bin/agent", **{**usual, **seen})
    first, *others = findings_of(shake)
    assert first == Finding("program", "ok", "/bin/agent")
    return [(one.topic, one.level, one.message, one.fix) for one in others]


def test_an_agent_that_is_well_says_who_it_is_and_what_it_offers() -> None:
    assert said(PRESETS["claude"]) == [
        ("agent", "ok", "Claude Agent 0.49.0, started in 0.5 s", ""),
        ("session", "ok", "ready after 1.3 s", ""),
        SIGN_IN,
        ("resume", "ok", "it can resume a conversation", ""),
        ("mode", "ok", "default; it also has auto, plan", ""),
        ("model", "ok", "opus[1m]; it also has sonnet, m0, m1, m2, m3, m4, m5 and 4 more", ""),
        ("effort", "ok", "low", ""),
        ("web", "ok", "true; it also has false", ""),
    ]


@pytest.mark.parametrize(
    ("fields", "finding"),
    [
        ({"mode": "plan"}, ("mode", "ok", "plan; it also has auto, default", "")),
        (
            {"mode": "plna"},
            ("mode", "fix", 'it has no "plna"', "choose one of auto, default, plan"),
        ),
        (
            {"model": "m9"},
            ("model", "ok", "m9; it also has sonnet, opus[1m], m0, m1, m2, m3, m4 and 4 more", ""),
        ),
        (
            {"options": {"effort": "high"}},
            ("effort", "fix", 'it has no "high"', "choose one of low"),
        ),
        ({"options": {"web": False}}, ("web", "ok", "false; it also has true", "")),
        (
            {"options": {"wbe": True}},
            ("wbe", "fix", 'it has no option "wbe"; did you mean "web"?', ""),
        ),
    ],
)
def test_settings_are_compared_with_what_is_offered(
    fields: dict[str, Any], finding: tuple[str, str, str, str]
) -> None:
    settings = ProviderConfig(wire="acp", command=("agent",), **fields)
    assert finding in said(settings)


@pytest.mark.parametrize(
    ("name", "methods", "fix"),
    [
        ("codex", [{"id": "chat-gpt", "name": "ChatGPT"}], "run `codex-acp login`"),
        (
            "mine",
            [{"name": "Log in", "description": "Run `mine login`"}, {"name": "API key"}],
            "Run `mine login`; API key",
        ),
        ("mine", [], "sign in with the agent's own program"),
        ("mine", None, "sign in with the agent's own program"),
    ],
)
def test_a_missing_sign_in_comes_with_its_command(name: str, methods: object, fix: str) -> None:
    settings = PRESETS.get(name, ProviderConfig(wire="acp", command=("mine",)))
    agent = {**CLAUDE, "authMethods": methods}
    found = said(settings, agent=agent, ready_at=None, needs_sign_in=True)
    assert found[1:] == [("sign-in", "fix", "it is not signed in", fix)]


def test_a_failure_ends_the_report() -> None:
    mine = ProviderConfig(wire="acp", command=("mine",))
    assert said(mine, answered_at=None, failure="no JSON") == [("start", "fix", "no JSON", "")]
    assert said(mine, ready_at=None, failure="no")[1:] == [("session", "fix", "no", "")]
    for version, spoken in ((2, "version 2"), (None, "no version"), ("1", "no version")):
        found = said(mine, agent={"protocolVersion": version})
        why = f"it speaks {spoken} of the protocol, lfg version 1"
        assert found == [("agent", "fix", why, "update the agent, or lfg")]


def test_an_agent_that_says_little_is_well() -> None:
    found = said(PRESETS["goose"], agent={"protocolVersion": 1}, session={})
    assert found[0] == ("agent", "ok", "nameless, started in 0.5 s", "")
    assert found[3][:2] == ("resume", "note")
