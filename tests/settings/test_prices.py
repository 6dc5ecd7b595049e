"""What models cost and hold, by the table that ships and by the config."""

import re

import msgspec
import pytest

from lfgtui.model.events import Usage
from lfgtui.settings.config import Config, Route
from lfgtui.settings.prices import ModelFacts, model_facts, price_table
from lfgtui.settings.providers import PRESETS, ModelConfig, Price, ProviderConfig

MILLION = Usage(1_000_000, 1_000_000)


def facts(provider: str, model: str, **settings: object) -> ModelFacts:
    """What is known with the presets and these settings of the provider."""
    own = msgspec.structs.replace(PRESETS[provider], **settings)
    return model_facts(Config(providers=PRESETS | {provider: own}), Route(provider, model))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("openai", "gpt-5"),
        ("openai", "GPT-5-mini-20250807"),
        ("xai", "grok-4"),
        ("gemini", "gemini-2.5-pro"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("groq", "llama-3.3-70b-versatile"),
        ("deepseek", "deepseek-chat"),
        ("mistral", "mistral-large-latest"),
    ],
)
def test_models_of_the_presets_have_a_dated_price(provider: str, model: str) -> None:
    priced = facts(provider, model).priced(MILLION)
    assert priced.cost is not None and 0 < priced.cost < 200
    assert priced.price_date == price_table().date
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", price_table().date)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "my-own-model"),
        ("openai", "my-own-model"),
        ("ollama", "deepseek-r1"),
        ("simulator", "gpt-5"),
        ("local", "gpt-5"),
        ("openai", ""),
    ],
)
def test_an_unknown_model_has_none(provider: str, model: str) -> None:
    assert facts(provider, model) == ModelFacts()
    assert facts(provider, model).priced(MILLION) == MILLION


def test_a_model_is_known_by_its_host_and_not_by_its_name() -> None:
    elsewhere = {"base_url": "https://gateway.example/v1"}
    assert facts("openai", "gpt-5", **elsewhere) == ModelFacts()
    assert facts("ollama", "gpt-5", base_url="https://api.openai.com/v1").price
    azure = {"base_url": "https://mine.openai.azure.com/openai/v1"}
    assert facts("openai", "gpt-5", **azure).price == facts("openai", "gpt-5").price


def test_what_is_cached_costs_less_and_what_is_written_to_the_cache_more() -> None:
    sonnet = facts("anthropic", "claude-sonnet-4-6")
    plain, read = Usage(1000, 0), Usage(1000, 0, cached=900)
    written = Usage(1000, 0, cache_write=900)
    costs = [sonnet.priced(usage).cost for usage in (read, plain, written)]
    assert costs == pytest.approx([0.00057, 0.003, 0.003675])


def test_a_long_request_costs_what_long_ones_do() -> None:
    sonnet = facts("anthropic", "claude-sonnet-4-5")
    assert sonnet.context_window == 200_000
    assert sonnet.priced(Usage(200_000, 0)).cost == pytest.approx(0.6)
    assert sonnet.priced(Usage(200_001, 0)).cost == pytest.approx(1.200006)


def test_the_config_has_the_last_word() -> None:
    dear, dearer = Price(input=100.0, output=0.0), Price(input=200.0, output=0.0)
    models = {"gpt-5": ModelConfig(price=dearer, context_window=5)}
    of_all = facts("openai", "gpt-5-mini", price=dear, context_window=7, models=models)
    of_one = facts("openai", "gpt-5", price=dear, context_window=7, models=models)
    assert [one.context_window for one in (of_all, of_one)] == [7, 5]
    assert [one.priced(MILLION).cost for one in (of_all, of_one)] == [100, 200]
    assert not of_all.priced(MILLION).price_date
    assert facts("openai", "gpt-5", context_window=7).price  # the rest is the table's


def test_what_the_provider_says_of_the_cost_stays() -> None:
    said = Usage(1, 1, cost=0.5)
    assert facts("openai", "gpt-5").priced(said) is said


@pytest.mark.parametrize(
    ("of_model", "of_provider", "of_all", "bound"),
    [(None, None, None, None), (None, 50, 90, 50), (70, None, 60, 60), (10, 50, 90, 10)],
)
def test_the_least_bound_on_output_holds(
    of_model: int | None, of_provider: int | None, of_all: int | None, bound: int | None
) -> None:
    models = {"m": ModelConfig(max_output_tokens=of_model)}
    own = ProviderConfig(wire="anthropic", max_output_tokens=of_provider, models=models)
    config = Config(providers={"p": own}, max_output_tokens=of_all)
    assert model_facts(config, Route("p", "m")).max_output_tokens == bound
