"""Tickets that installed agents work on, from the config to the history."""

from pathlib import Path

import pytest

from tests.acp.scripts import ScriptedAgent, scripted
from tests.cli.conftest import Lfg, configure


def configured(folder: Path, more: str = "", **script: object) -> ScriptedAgent:
    """An agent of that script, and the provider `mine` which it is."""
    agent = scripted(folder, **script)  # type: ignore[arg-type]
    configure(f'model = "mine"\n{agent.config()}{more}')
    return agent


def test_an_agent_answers_without_a_model_and_is_named_alone(lfg: Lfg, tmp_path: Path) -> None:
    agent = configured(
        tmp_path, 'env = { TEAM = "blue" }\n', turns=[[{"text": "Nine."}]], shows=["TEAM"]
    )
    assert lfg("run", "-p", "How many?") == (0, "Nine.\n", "")
    assert agent.log("environment") == [{"TEAM": "blue"}]
    [ticket] = lfg("show", "last", "--json").json["tickets"]
    [attempt] = ticket["attempts"]
    assert (ticket["state"], attempt["text"]) == ("done", "Nine.")
    assert (attempt["provider"], attempt["model"]) == ("mine", "")
    assert "\nmine · " in lfg("show", "last").out
    states = lfg("run", "-p", "How many?", "--headless").out.splitlines()
    assert any(line.split()[1:] == ["prompt", "starting", "mine"] for line in states)


def test_a_model_is_the_agents_to_have(lfg: Lfg, tmp_path: Path) -> None:
    option = {"id": "model", "category": "model", "currentValue": "small"}
    answers = {"session/set_config_option": {"configOptions": [option]}}
    agent = configured(tmp_path, session={"configOptions": [option]}, answers=answers, turns=[[]])
    for arguments in (["--model", "large"], ["--model", "mine/large"]):
        assert lfg("run", "-p", "Hi", *arguments).code == 0
    assert [one["value"] for one in agent.received("session/set_config_option")] == ["large"] * 2
    groups = lfg("stats", "--by", "model", "--json").json["groups"]
    assert [group["name"] for group in groups] == ["mine/large"]


@pytest.mark.usefixtures("at_root")
def test_a_fallback_may_be_an_agent(lfg: Lfg, tmp_path: Path) -> None:
    gone = '[providers.gone]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
    configured(tmp_path, f"{gone}[retry]\nattempts = 1\n", turns=[[{"text": "Nine."}]])
    file = tmp_path / "tickets.toml"
    file.write_text('[[ticket]]\nid = "a"\nprompt = "Hi."\nmodel = "gone/x"\nfallback = ["mine"]\n')
    refused = lfg("run", str(file), "--headless")
    assert refused.code == 2 and "starts agents that follow rules of their own" in refused.err
    assert lfg("run", str(file), "--headless", "--yes").code == 0
    shown = lfg("show", "last/a").out
    assert "gone/x failed; switching to mine" in shown and "\nmine · " in shown
