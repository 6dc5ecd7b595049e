"""config.toml, and the example of it that ships with lfg."""

import re
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lfgtui.errors import SourceError, UsageError
from lfgtui.model.ticket_keys.on_end import OnEnd
from lfgtui.model.tickets import Ticket
from lfgtui.settings import environment, paths
from lfgtui.settings.agents import AGENTS
from lfgtui.settings.config import (
    Config,
    NotifyPolicy,
    RetryPolicy,
    load_config,
    read_config,
    route_of,
    routes_of,
)
from lfgtui.settings.credentials import (
    agent_environment,
    api_key,
    held_keys,
    request_headers,
    secret_variables,
    signing_keys,
)
from lfgtui.settings.keys import BY_ACTION, KEYS, keys_in_force
from lfgtui.settings.providers import (
    ALL_DIALECTS,
    EMBEDDED,
    PRESETS,
    Dialect,
    Price,
    ProviderConfig,
    WireName,
)
from lfgtui.settings.sandbox import SandboxPolicy
from lfgtui.text.figures import age_seconds

EXAMPLE = paths.shipped("config.example.toml")
COMMENTED = re.compile(r"^#(?=[^ \n#])", re.MULTILINE)
"""What the example's head says: a `#` without a blank after it switches a setting off."""


def load(folder: Path, text: str) -> Config:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def refused(folder: Path, text: str) -> str:
    """Line and message of the refusal."""
    with pytest.raises(SourceError) as caught:
        load(folder, text)
    return f"{caught.value.line}: {caught.value.message}"


def ticket(provider: str | None = None, model: str | None = None, *fallback: str) -> Ticket:
    return Ticket(
        id="a", prompt="x", workspace=".", provider=provider, model=model, fallback=fallback
    )


# The file.


def test_a_missing_or_empty_file_is_the_presets(tmp_path: Path) -> None:
    assert load_config(tmp_path / "none.toml") == load(tmp_path, "") == Config(providers=PRESETS)


def test_what_the_file_does_not_say_is_the_default_or_the_presets(tmp_path: Path) -> None:
    config = load(tmp_path, '[retry]\nattempts = 1\n[providers.groq]\nmodel = "fast"\n')
    groq = msgspec.structs.replace(PRESETS["groq"], model="fast")
    assert config == Config(retry=RetryPolicy(attempts=1), providers={**PRESETS, "groq": groq})


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ('theme = "dark"\nconcurency = 1\n', '2: unknown key "concurency"; did you mean'),
        ('[providers.x]\nbase_url = "http://localhost"\n', '1: missing key "wire"'),
        ('[providers.x]\nwire = "openai-chat"\n', '1: provider "x": missing key "base_url"'),
        ("[retry]\nattempts = 0\n", "2: `attempts`: expected `int` >= 1"),
        *(
            (f"[{table}]\n{key} = inf\n", f"2: `{key}`: expected `float` <= 86400.0")
            for table, key in (
                *(("retry", key) for key in ("base_delay", "max_delay", "max_retry_after")),
                *(("breaker", key) for key in ("window", "pause", "max_pause")),
                ("providers.xai", "connect_timeout"),
            )
        ),
        ("[retry]\nmax_park = 2592001\n", "2: `max_park`: expected `float` <= 2592000"),
        ("ttft_budget = 1e9\n", "1: `ttft_budget`: expected `float` <= 86400.0"),
        ("stall_after = nan\n", "1: `stall_after`: expected `float` > 0.0"),
        ("[providers.xai]\nprice = { input = -1, output = 1 }\n", "2: `input`: expected `float`"),
        ("concurrency = 0\n", "1: `concurrency`: expected `int` >= 1"),
        ("[providers.xai]\nconcurrency = 0\n", "2: `concurrency`: expected `int` >= 1"),
        *(
            (
                f'max_memory = "{size}"\n',
                f'1: max_memory: invalid size "{size}": expected e.g. "8 GB"',
            )
            for size in ("8", "8 gb", "0%", "101%", "-1 GB", "1e3 GB", "")
        ),
        ("[retry]\nattempt = 1\n", '2: unknown key "attempt"; did you mean "attempts"?'),
        (
            '[providers.xai]\nmodel = "a"\nwier = "x"\n',
            '3: unknown key "wier"; did you mean "wire"',
        ),
        ("[providers.xai]\n\nprice = { input = 1 }\n", '3: missing key "output"'),
        ('[providers.xai]\nbase_url = "api.x.ai"\n', '2: base_url "api.x.ai" must begin'),
        (
            '[providers.x]\nwire = "agent-sse"\nbase_url = "ws://localhost"\n',
            '3: base_url "ws://localhost" must begin with http:// or https://',
        ),
        (
            '[providers.x]\nwire = "agent-websocket"\nbase_url = "localhost"\n',
            '3: base_url "localhost" must begin with http://, https://, ws:// or wss://',
        ),
        *(
            (
                f'[providers.xai]\nbase_url = "{url}"\n',
                f'2: base_url "{url}" has no valid host or port',
            )
            for url in ("http://[::1", "http://host:99999", "http://", "https://:443/v1")
        ),
        ('[providers.openai]\nwire = "agent-sse"\n', '1: provider "openai": missing key "base'),
        ("[providers.xai]\nbody = { a = 1 }\n", '2: "body" requires the wire agent-sse or agent-'),
        (
            '[providers.xai]\nleakage = ["think", "tolls"]\n',
            '2: unknown value "tolls"; did you mean "tools"?',
        ),
        ('[providers.xai]\nleakage = "think"\n', "2: `leakage`: expected `bool | array`"),
        ('[providers.groq]\nmodel_file = "m.gguf"\n', '2: "model_file" requires [providers.local]'),
        ('[providers.x]\nwire = "acp"\n', '1: provider "x": missing key "command"'),
        ('[providers.x]\nwire = "acp"\ncommand = [""]\n', '3: provider "x": command: the'),
        ('[providers.x]\nwire = "acp"\ncommand = "x"\n', "3: `command`: expected `array`"),
        *(
            (f"[providers.claude]\n{line}\n", f'2: "{line.split()[0]}" does not fit the wire acp')
            for line in (
                *('base_url = "http://127.0.0.1"', 'api_key_env = "KEY"'),
                *('api_key_command = "pass"', 'headers = { a = "b" }'),
            )
        ),
        *(
            (f"[providers.xai]\n{line}\n", f'2: "{line.split()[0]}" requires the wire acp')
            for line in (
                'command = ["x"]',
                'env = { A = "b" }',
                'mode = "m"',
                "options = { a = true }",
            )
        ),
        (
            "[providers.claude]\nbody = { a = 1 }\n",
            '2: "body" requires the wire agent-sse or agent-',
        ),
        ('[providers.kimi]\nwire = "openai-chat"\n', '1: provider "kimi": missing key "base_url"'),
        ("[keys]\nquit = 1\n", "2: `quit`: expected `str`, got `int`"),
        ('\n[keys]\nhelp = "F1"\ncancle = "x"\n', '4: unknown action "cancle"; did you mean "can'),
        ('[keys]\nhelp = "F1"\n"cancel" = "r"\n', '3: "r" is assigned to both "cancel" and "ret'),
        ('[keys]\nfind = ""\nretry = "c"\n', '3: "c" is assigned to both "cancel" and "retry"'),
        ('keys = { cancel = "Ctrl+B" }\n', '1: cancel = "Ctrl+B" cannot be used: it is tmux'),
        ("[[on_end]]\n", '1: on_end needs either "command" or "webhook"'),
        (
            '[[on_end]]\ncommand = ["x"]\n[[on_end]]\ncommand = ["x"]\nwebhook = "https://h"\n',
            '4: on_end needs either "command" or "webhook"',
        ),
        ('[[on_end]]\ncommand = [""]\n', "2: command: the program name is empty"),
        ('[[on_end]]\nwebhook = "h/x"\n', '2: webhook "h/x" must begin with http:// or https'),
        ('[[on_end]]\nwebhook = "https://[x"\n', '2: webhook "https://[x" must begin with'),
        (
            '[[on_end]]\ncommand = ["x"]\nsecret_env = "S"\n',
            '3: "secret_env" belongs to a "webhook", not to a "command"',
        ),
        ('concurrency = 2\ntheme = "drak"\n', '2: unknown theme "drak"; did you mean "dark"?'),
    ],
)
def test_mistakes_are_refused_at_their_line(tmp_path: Path, text: str, refusal: str) -> None:
    assert refused(tmp_path, text).startswith(refusal)


def test_only_the_theme_in_force_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    for name in ("mine", "yours"):
        (tmp_path / "themes" / f"{name}.toml").write_text(f'name = "{name}"\ndrak = true\n')
    assert load(tmp_path, "").theme == "dark"
    with pytest.raises(SourceError) as caught:
        load(tmp_path, 'theme = "mine"\n')
    assert str(caught.value).startswith(f'{tmp_path}/themes/mine.toml:2: unknown key "drak"')
    (tmp_path / "themes" / "mine.toml").write_text('name = "dark"\n')
    with pytest.raises(SourceError, match=r"mine\.toml"):
        load_config(tmp_path / "none.toml")


def test_all_mistakes_are_found_at_once(tmp_path: Path) -> None:
    text = 'theme = "drak"\n[keys]\ncancel = "r"\nquit = "banana"\n[history]\nretention = "5"\n'
    (tmp_path / "config.toml").write_text(text)
    config, mistakes = read_config(tmp_path / "config.toml")
    assert config.theme == "drak"
    assert sorted(one.line or 0 for one in mistakes) == [1, 3, 4, 6]


def test_an_agent_may_be_reached_over_a_websocket(tmp_path: Path) -> None:
    for scheme in ("http", "https", "ws", "wss"):
        text = f'[providers.x]\nwire = "agent-websocket"\nbase_url = "{scheme}://localhost/a"\n'
        assert load(tmp_path, text).provider("x").wire == "agent-websocket"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_reached(name: str) -> None:
    preset = PRESETS[name]
    assert bool(preset.command) == (preset.wire == "acp") == (name in AGENTS)
    if not preset.command:
        assert preset.api_key_env or name in EMBEDDED or "127.0.0.1" in (preset.base_url or "")
        assert (preset.base_url is None) == (name in EMBEDDED | {"anthropic", "openai"})


def test_a_provider_of_another_kind_shares_nothing_with_the_preset_of_its_name(
    tmp_path: Path,
) -> None:
    text = (
        '[providers.kimi]\nwire = "openai-chat"\nbase_url = "http://127.0.0.1/v1"\n'
        '[providers.gemini]\nwire = "acp"\ncommand = ["gemini", "--acp"]\n'
    )
    config = load(tmp_path, text)
    assert config.provider("kimi") == chat(base_url="http://127.0.0.1/v1")
    assert config.provider("gemini") == PRESETS["gemini-cli"]


@pytest.mark.parametrize(
    ("first", "program"),
    [
        ("agent", "agent"),  # looked for on the PATH when it is started
        ("~/bin/agent", str(Path.home() / "bin" / "agent")),
        ("bin/agent", "{folder}/bin/agent"),  # and not in the folder that the agent works in
        ("/opt/agent", "/opt/agent"),
    ],
)
def test_the_program_of_an_agent_is_found_from_the_config(
    tmp_path: Path, first: str, program: str
) -> None:
    config = load(tmp_path, f'[providers.x]\nwire = "acp"\ncommand = ["{first}", "~"]\n')
    assert config.provider("x").command == (program.format(folder=tmp_path), "~")


@pytest.mark.parametrize(
    ("text", "model", "file"),
    [
        ('model_file = "models/qwen3.gguf"', "qwen3", "{folder}/models/qwen3.gguf"),
        ('model_file = "~/tiny.gguf"\nmodel = "mine"', "mine", str(Path.home() / "tiny.gguf")),
        ('base_url = "http://127.0.0.1:8080/v1"', None, None),  # another server
        ('model = "mine"', "mine", None),
    ],
)
def test_a_model_file_is_found_from_the_config_and_names_the_model(
    tmp_path: Path, text: str, model: str | None, file: str | None
) -> None:
    local = load(tmp_path, f"[providers.local]\n{text}\n").provider("local")
    assert local.model == model
    assert local.model_file == (file and file.format(folder=tmp_path))


# Which provider and model a ticket means.


@pytest.mark.parametrize(
    ("provider", "model", "default", "meant"),
    [
        ("xai", "grok", None, ("xai", "grok")),
        ("openrouter", "meta/llama", "xai/grok", ("openrouter", "meta/llama")),
        (None, "xai/grok", "openai/gpt", ("xai", "grok")),
        (None, "openrouter/meta/llama", None, ("openrouter", "meta/llama")),
        (None, None, "openai/gpt", ("openai", "gpt")),
        ("groq", None, "openai/gpt", ("groq", "fast")),
        (None, "groq", None, ("groq", "fast")),
        ("claude", None, "openai/gpt", ("claude", "")),
        ("claude", "opus", None, ("claude", "opus")),
        (None, "claude", None, ("claude", "")),
        (None, "claude/opus", "openai/gpt", ("claude", "opus")),
        (None, None, "claude", ("claude", "")),
        (None, "codex/", None, ("codex", "")),
    ],
)
def test_a_ticket_means_a_provider_and_a_model(
    provider: str | None, model: str | None, default: str | None, meant: tuple[str, str]
) -> None:
    groq = msgspec.structs.replace(PRESETS["groq"], model="fast")
    config = Config(model=default, providers={**PRESETS, "groq": groq})
    assert route_of(config, ticket(provider, model)) == meant


def test_fallbacks_come_after_the_tickets_own_provider() -> None:
    groq = msgspec.structs.replace(PRESETS["groq"], model="fast")
    config = Config(providers={**PRESETS, "groq": groq})
    mine = ticket("xai", "grok", "openrouter/meta/llama", "groq", "xai/grok", "claude")
    routes = [("xai", "grok"), ("openrouter", "meta/llama"), ("groq", "fast"), ("claude", "")]
    assert list(routes_of(config, mine)) == routes
    assert [str(route) for route in routes_of(config, mine)][-2:] == ["groq/fast", "claude"]


@pytest.mark.parametrize(
    ("mine", "why"),
    [
        (ticket(), 'ticket "a" has no model; write'),
        (ticket(None, "gpt"), 'ticket "a" has model "gpt" but no provider'),
        (ticket("xai"), 'ticket "a" has provider "xai" but no model'),
        (ticket(None, "xai"), 'ticket "a" has provider "xai" but no model'),
        (ticket(None, "xia/grok"), 'unknown provider "xia"; did you mean "xai"?'),
        (ticket("xia", "grok"), 'unknown provider "xia"; did you mean "xai"?'),
        (ticket("xai", "grok", "openia/gpt"), 'unknown provider "openia"; did you mean "openai"?'),
        (ticket("xai", "grok", "openai"), 'ticket "a": fallback "openai" names no model; write "P'),
    ],
)
def test_a_ticket_that_means_nobody_is_refused(mine: Ticket, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        routes_of(Config(providers=PRESETS), mine)
    assert str(caught.value).startswith(why)


# Keys and headers.


def chat(**fields: Any) -> ProviderConfig:
    return ProviderConfig(wire="openai-chat", **fields)


def test_a_key_comes_from_the_environment_or_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", " secret\n")
    assert api_key("xai", PRESETS["xai"]) == "secret"
    assert api_key("ollama", PRESETS["ollama"]) is None
    command = f"{sys.executable} -c 'print(\"from a command\")'"
    provider = msgspec.structs.replace(PRESETS["xai"], api_key_command=command)
    assert api_key("xai", provider) == "from a command"


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_key_has_its_variable(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("XAI_API_KEY", value)
    with pytest.raises(UsageError, match='provider "xai" needs a key: set XAI_API_KEY'):
        api_key("xai", PRESETS["xai"])


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("", "api_key_command is empty"),
        ("sh -c 'echo secret; exit 3'", "api_key_command failed: exit code 3"),
        ("true", "api_key_command failed: no output"),
        ("no-such-program-here", "api_key_command failed: [Errno 2] No such file"),
        ("echo 'a", "api_key_command failed: No closing quotation"),
        ("printf '\\377'", "api_key_command failed: "),
    ],
)
def test_a_command_that_gives_no_key_is_a_usage_error(command: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        api_key("mine", chat(api_key_command=command))
    assert str(caught.value).startswith(f'provider "mine": {why}')
    assert "secret" not in str(caught.value)


def test_headers_take_variables_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = chat(headers={"X-Team": "${TEAM}/${TEAM}", "X-Plain": "$TEAM"})
    monkeypatch.setenv("TEAM", "red")
    assert request_headers("mine", provider) == {"X-Team": "red/red", "X-Plain": "$TEAM"}
    monkeypatch.delenv("TEAM")
    with pytest.raises(UsageError, match='provider "mine": headers use TEAM, which is not set'):
        request_headers("mine", provider)


def test_the_variables_of_keys_and_headers_are_secret() -> None:
    mine = chat(headers={"A": "${TOKEN} ${OTHER}", "B": "$NOT"})
    config = Config(providers={"mine": mine, **{name: PRESETS[name] for name in ("xai", "ollama")}})
    assert secret_variables(config) == {"TOKEN", "OTHER", "XAI_API_KEY"}


def test_keys_held_are_of_variables_urls_headers_bodies_and_agents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("XAI_API_KEY", "GATE_TOKEN", "TEAM"):
        monkeypatch.setenv(name, f"value-of-{name}")
    headers = {"X-Gate": "${GATE_TOKEN}", "Authorization": "Bearer said", "X-Team": "${TEAM}"}
    mine = chat(base_url="http://me:p%40ss@a.b", headers=headers)
    body = {"auth": [{"api-key": "in the body"}], "prompt": "{prompt}"}
    odd = chat(base_url="http://[a", body=body)
    agent = ProviderConfig(wire="acp", env={"X_TOKEN": "of an agent", "X_MODE": "plain"})
    providers = {"xai": PRESETS["xai"], "mine": mine, "odd": odd, "agent": agent}
    values = {"value-of-XAI_API_KEY", "value-of-GATE_TOKEN", "of an agent"}
    assert held_keys(Config(providers=providers)) == {*values, "said", "p@ss", "in the body"}


def test_the_secrets_of_webhooks_are_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "whsec_new whsec_old")
    config = Config(on_end=(OnEnd(webhook="https://h", secret_env="HOOK"),))
    assert secret_variables(config) == {"HOOK"}
    assert held_keys(config) == {"whsec_new", "whsec_old"}


def test_a_webhook_is_signed_by_each_secret_that_its_variable_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook = OnEnd(webhook="https://h", secret_env="HOOK")
    assert signing_keys(OnEnd(webhook="https://h")) == []
    new, old = b"n" * 24, b"o" * 32
    encoded = [b64encode(key).decode() for key in (new, old)]
    monkeypatch.setenv("HOOK", f"whsec_{encoded[0]} {encoded[1].rstrip('=')}")
    assert signing_keys(hook) == [new, old]
    for secret in ("", "whsec_", "whsec_short", "n" * 23, "whsec_" + "%" * 40, encoded[0] + " x"):
        monkeypatch.setenv("HOOK", secret)
        with pytest.raises(UsageError, match=r"on_end: HOOK .* e\.g\. what .* prints") as caught:
            signing_keys(hook)
        assert len(secret) < 10 or secret not in str(caught.value)


def test_a_hook_written_with_a_slash_is_found_from_the_files_folder(tmp_path: Path) -> None:
    text = "".join(
        f'[[on_end]]\ncommand = ["{name}", "x"]\n' for name in ("./a", "b", "~/c", "~nobody-has/d")
    )
    here, there, home, nobody = load(tmp_path, text).on_end
    assert here.command == (str(tmp_path / "a"), "x")
    assert there.command == ("b", "x")
    assert home.command == (str(Path.home() / "c"), "x")
    assert nobody.command == (str(tmp_path / "~nobody-has" / "d"), "x")


def test_an_agent_has_the_environment_of_the_person_and_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "hidden", {"CLAUDE_TOKEN": "secret"})
    monkeypatch.setenv("TEAM", "red")
    mine = ProviderConfig(wire="acp", command=("x",), env={"TEAM": "blue"})
    given = agent_environment(mine)
    assert (given["CLAUDE_TOKEN"], given["TEAM"], "PATH" in given) == ("secret", "blue", True)


@pytest.mark.parametrize(
    ("wire", "said", "dialects"),
    [
        ("openai-chat", None, ALL_DIALECTS),
        ("anthropic", None, frozenset()),
        ("openai-responses", None, frozenset()),
        ("acp", None, frozenset()),
        ("openai-chat", False, frozenset()),
        ("anthropic", True, ALL_DIALECTS),
        ("openai-chat", ("think", "react"), frozenset({"think", "react"})),
        ("anthropic", (), frozenset()),
    ],
)
def test_leaked_markup_is_looked_for_where_the_wire_has_no_channel_for_it_or_as_said(
    wire: WireName, said: bool | tuple[Dialect, ...] | None, dialects: frozenset[Dialect]
) -> None:
    assert ProviderConfig(wire=wire, leakage=said).leak_dialects == dialects


# Prices.


def test_cached_tokens_have_their_own_price_or_cost_what_others_do() -> None:
    price = Price(input=3.0, output=15.0, cached=0.3)
    assert price.cost(1_000_000, 100_000, 400_000) == pytest.approx(0.6 * 3 + 0.4 * 0.3 + 1.5)
    assert Price(3.0, 15.0).cost(1_000_000, 100_000, 400_000) == pytest.approx(3 + 1.5)
    assert price.cost(10, 0, 1000) == pytest.approx(0.0003)  # more cached than there were


# The example.


@pytest.fixture
def uncommented(tmp_path: Path) -> Config:
    return load(tmp_path, COMMENTED.sub("", EXAMPLE.read_text("utf-8")))


def test_the_example_changes_nothing() -> None:
    assert load_config(EXAMPLE) == Config(providers=PRESETS)


@pytest.mark.parametrize("kind", [Config, ProviderConfig, Price, RetryPolicy, SandboxPolicy, OnEnd])
def test_the_example_names_every_setting(kind: type[msgspec.Struct]) -> None:
    text = EXAMPLE.read_text("utf-8")
    missing = [
        name
        for name in kind.__struct_fields__
        if not re.search(rf"^#?\[{{1,2}}{name}\b|^#{name} = |[{{,] {name} = ", text, re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("name", PRESETS)
def test_the_example_names_every_built_in_provider(name: str) -> None:
    assert f"\n[providers.{name}]\n" in EXAMPLE.read_text("utf-8")


def test_every_setting_of_the_example_may_be_switched_on(
    uncommented: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCESS_TOKEN", "token")
    assert uncommented.providers.keys() - PRESETS.keys() == {"work", "planner", "mine"}
    assert request_headers("work", uncommented.provider("work"))
    assert uncommented.provider("planner").body["assistant_id"] == "agent"
    assert uncommented.provider("mine").command[0] == str(Path.home() / "bin" / "my-agent")


def test_the_example_shows_the_defaults(uncommented: Config) -> None:
    own = {"providers", "keys", "model", "history", "notify", "command_variables", "speak_command"}
    own |= {"max_output_tokens", "run", "guards", "sandbox", "mcp", "on_end", "hosts", "workers"}
    assert uncommented.workers.lease == Config().workers.lease
    for name in set(Config.__struct_fields__) - own:
        assert getattr(uncommented, name) == getattr(Config(), name), name
    assert uncommented.notify.via == NotifyPolicy().via
    paths = {"readable": (), "writable": ()}
    assert msgspec.structs.replace(uncommented.sandbox, **paths) == SandboxPolicy()
    for name, preset in PRESETS.items():
        none = ("price", "model_file", "concurrency", "context_window", "max_output_tokens")
        examples: dict[str, object] = {**dict.fromkeys(none), "model": preset.model, "models": {}}
        assert msgspec.structs.replace(uncommented.provider(name), **examples) == preset


def test_the_example_shows_every_key(uncommented: Config) -> None:
    assert uncommented.keys.keys() == BY_ACTION.keys()
    assert keys_in_force(uncommented.keys) == {key.action: key.keys for key in KEYS}


def test_each_setting_of_the_example_may_be_switched_on_alone(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8").partition("#[providers.work]")[0]
    settings = list(COMMENTED.finditer(text))
    assert len(settings) > 60
    for setting in settings:
        load(tmp_path, text[: setting.start()] + text[setting.end() :])


# The history.


def test_answers_may_be_given_again_up_to_an_age(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('cache_answers = "7d"\n')
    assert load_config(tmp_path / "config.toml").cache_answers == "7d"
    told = 'cache_answers: invalid duration "7": expected e.g. 30d, 12w or 48h'
    assert refused(tmp_path, 'cache_answers = "7"\n') == f"1: {told}"


def test_an_age_is_hours_days_or_weeks() -> None:
    hours = [age_seconds(age) // 3600 for age in ("48h", "90d", "2w")]
    assert hours == [48, 2160, 336]


@pytest.mark.parametrize("age", ["", "0d", "5", "-1d", "1.5d", "90 days", "1y", "٣d", "123456d"])
def test_an_invalid_age_is_refused(age: str) -> None:
    with pytest.raises(ValueError, match=f'invalid duration "{age}": expected e.g. 30d'):
        age_seconds(age)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'secrets = ["a", "(b"]',
            'secrets: "(b": missing ), unterminated subpattern at position 0',
        ),
        ('secrets = ["x*"]', 'secrets: "x*" matches empty text'),
        ('retention = "0d"', 'retention: invalid duration "0d": expected e.g. 30d, 12w or 48h'),
        ('redact = "exports"', '`redact`: unknown value "exports"; did you mean "export"?'),
        ('retentoin = "1d"', 'unknown key "retentoin"; did you mean "retention"?'),
    ],
)
def test_mistakes_about_the_history(tmp_path: Path, line: str, told: str) -> None:
    assert refused(tmp_path, f"theme = 'dark'\n[history]\n{line}\n") == f"3: {told}"
