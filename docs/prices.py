"""Take the table of prices and context windows that ships with lfg: `make prices`.

From genai-prices, as of today: changes of a price that it knows beforehand are left out, and of
prices by the hour the dearest is taken. Every condition on a model's name becomes one regular
expression.
"""

import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
from genai_prices import data, types

PRESETS = ("anthropic", "openai", "x-ai", "google", "openrouter", "groq", "deepseek", "mistral")
MORE = ("azure", "cerebras", "fireworks", "together", "moonshotai", "perplexity", "zai", "minimax")
HOSTS = PRESETS + MORE
"""The presets' hosts, and others that speak one of lfg's wires."""

TARGET = Path(__file__).parents[1] / "lfgtui" / "settings" / "prices.json"
KEYS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}


def main() -> None:
    now = datetime.now(UTC)
    providers = {provider.id: provider for provider in data.providers}
    hosts = {name: host(providers[name], now) for name in HOSTS}
    source = f"genai-prices {version('genai-prices')}"
    table = {"date": now.date().isoformat(), "source": source, "hosts": hosts}
    lines = msgspec.json.encode(table)
    for key in (b'{"names"', b'{"match"', b'"api"'):
        lines = lines.replace(key, b"\n" + key)
    TARGET.write_bytes(lines + b"\n")
    models = sum(len(one["models"]) for one in hosts.values())
    print(f"{TARGET}: {models} models, {TARGET.stat().st_size:,} bytes, {source}")


def host(provider: types.Provider, now: datetime) -> dict[str, object]:
    models = [entry(model, now) for model in provider.models]
    others = [name for name in provider.fallback_model_providers or () if name in HOSTS]
    return {"api": provider.api_pattern, "others": others, "models": models}


def entry(model: types.ModelInfo, now: datetime) -> dict[str, object]:
    """Return a model; without a price where it is not paid by the token alone."""
    names, patterns = conditions(model.match)
    found: dict[str, object] = {"names": names} if names else {}
    if patterns:
        found["match"] = "|".join(patterns)
    if model.context_window:
        found["window"] = model.context_window
    prices = price_of(model, now)
    base = at(prices, 0)
    if "input" in base and "output" in base:
        found["price"] = base
        starts = sorted({tier.start for key in KEYS.values() for tier in tiers(prices, key)})
        if starts:
            found["long"] = [[start, at(prices, start + 1)] for start in starts]
    return found


def price_of(model: types.ModelInfo, now: datetime) -> types.ModelPrice:
    if isinstance(model.prices, types.ModelPrice):
        return model.prices
    of_hours = [p.prices for p in model.prices if is_of_hours(p)]
    others = [p for p in model.prices if not is_of_hours(p)]
    in_force = [p.prices for p in others if p.constraint is None or p.constraint.active(now)]
    each = (*in_force[-1:], *of_hours) or [model.prices[0].prices]
    return max(each, key=lambda prices: at(prices, 0).get("input", 0))


def is_of_hours(price: types.ConditionalPrice) -> bool:
    return isinstance(price.constraint, types.TimeOfDateConstraint)


def tiers(prices: types.ModelPrice, key: str) -> list[types.Tier]:
    value = getattr(prices, key, None)
    return value.tiers if isinstance(value, types.TieredPrices) else []


def at(prices: types.ModelPrice, tokens: int) -> dict[str, float]:
    """Return the prices of a request with so many input tokens."""
    found = {}
    for name, key in KEYS.items():
        value = getattr(prices, key, None)
        if isinstance(value, types.TieredPrices):
            above = [tier.price for tier in value.tiers if tokens > tier.start]
            value = above[-1] if above else value.base
        if value is not None:
            found[name] = float(value)
    return found


def conditions(match: object) -> tuple[list[str], list[str]]:
    """Return whole names, and the patterns of all other names."""
    alternatives = match.or_ if isinstance(match, types.ClauseOr) else [match]
    names = [one.equals.lower() for one in alternatives if isinstance(one, types.ClauseEquals)]
    others = [one for one in alternatives if not isinstance(one, types.ClauseEquals)]
    return names, [pattern(one) for one in others]


def pattern(match: object) -> str:
    """Return the condition as a regular expression to search a name in small letters for."""
    match match:
        case types.ClauseEquals(text):
            return f"^{escaped(text)}$"
        case types.ClauseStartsWith(text):
            return f"^{escaped(text)}"
        case types.ClauseEndsWith(text):
            return f"{escaped(text)}$"
        case types.ClauseContains(text):
            return escaped(text)
        case types.ClauseRegex(regex):
            return regex
        case types.ClauseAnd(all_of):
            return "^" + "".join(f"(?=.*?(?:{pattern(one)}))" for one in all_of)
        case types.ClauseOr(any_of):
            return "|".join(map(pattern, any_of))
    raise ValueError(f"an unknown condition: {match}")


def escaped(text: str) -> str:
    return re.escape(text.lower()).replace("\\-", "-")


if __name__ == "__main__":
    main()
