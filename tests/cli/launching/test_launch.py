"""What the command line makes of the provider and the model of tickets."""

from pathlib import Path

import msgspec
import pytest

from lfgtui.cli.launching.launch import with_model
from lfgtui.model.tickets_file import single_ticket
from lfgtui.settings.config import Config, route_of
from lfgtui.settings.providers import PRESETS
from tests.cli.conftest import Lfg

GROQ = msgspec.structs.replace(PRESETS["groq"], model="fast")
CONFIG = Config(providers={**PRESETS, "groq": GROQ})


@pytest.mark.parametrize(
    ("own", "given", "default", "meant"),
    [
        ((None, "xai/grok"), ("claude", None), None, "claude"),  # which has no such model
        (("xai", "grok"), ("claude", None), None, "claude"),
        ((None, None), ("claude", None), "xai/grok", "claude"),
        ((None, "claude/opus"), ("claude", None), None, "claude/opus"),
        (("claude", "opus"), ("claude", None), None, "claude/opus"),
        ((None, "claude"), ("codex", None), None, "codex"),
        ((None, "claude"), ("groq", None), None, "groq/fast"),
        ((None, "xai/grok"), ("groq", None), None, "groq/grok"),
        ((None, "xai/grok"), (None, "claude/opus"), None, "claude/opus"),
        ((None, None), (None, "claude"), None, "claude"),
        ((None, None), (None, "groq"), None, "groq/fast"),
        (("claude", None), (None, "opus"), None, "claude/opus"),
        ((None, None), (None, "opus"), "claude", "claude/opus"),
        ((None, "claude"), (None, "opus"), "xai/grok", "claude/opus"),
    ],
)
def test_the_command_line_changes_who_works_on_a_ticket(
    own: tuple[str | None, str | None],
    given: tuple[str | None, str | None],
    default: str | None,
    meant: str,
) -> None:
    config = msgspec.structs.replace(CONFIG, model=default)
    file = single_ticket("Hi.", Path("/"))
    ticket = msgspec.structs.replace(file.tickets[0], provider=own[0], model=own[1])
    changed = with_model(msgspec.structs.replace(file, tickets=(ticket,)), config, *given)
    assert str(route_of(config, changed.tickets[0])) == meant


def test_what_an_agent_will_ignore_is_said(lfg: Lfg, tmp_path: Path, programs: Path) -> None:
    (programs / "codex-acp").touch(0o755)
    file = tmp_path / "tickets.toml"
    text = '[defaults]\nmax_turns = 3\n[[ticket]]\nid = "a"\nprompt = "Go."\nmodel = "codex"\n'
    file.write_text(text + 'tools = ["read_file"]\n')
    remark = "installed agents ignore tools, max_turns: they have their own\n"
    assert lfg("run", str(file), "--headless", "--yes").err.startswith(remark)
    file.write_text(text.replace("codex", "simulator/generic"))
    assert lfg("run", str(file), "--headless", "--yes").err == ""
