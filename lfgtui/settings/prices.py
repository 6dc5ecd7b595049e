"""Prices and context windows of models, from the config or from `prices.json` in this folder.

`make prices` makes that table from genai-prices (MIT), which knows hundreds of models of each host
under all of their names. The package itself is no dependency: importing it takes 130 ms and its
data 1.6 MB, and the data have no date. The table has one, is a tenth of the size, and only the
part of one host is decoded.
"""

import re
from functools import cache
from pathlib import Path

import msgspec

from lfgtui.model.events import Usage
from lfgtui.settings.config import Config, Route
from lfgtui.settings.providers import EMBEDDED, Price, ProviderConfig, WireName

_FILE = Path(__file__).with_name("prices.json")

_HOSTS: dict[WireName, str] = {
    "anthropic": "https://api.anthropic.com",
    "openai-responses": "https://api.openai.com/v1",
    "openai-chat": "https://api.openai.com/v1",
}
"""The addresses that the SDKs use for a provider without a `base_url`."""

_DIGITS = re.compile(r"-(20\d\d)(\d\d)(\d\d)$")
"""A date without dashes at the end of a model's name, as in claude-sonnet-4-5-20250929."""


class KnownModel(msgspec.Struct, frozen=True):
    """A model of a host: one of the `names`, or a name in which the pattern `match` is found.

    `window` is in tokens, 0 if unknown. `long` has other prices for requests with more input tokens
    than a number, in ascending order of these.
    """

    names: tuple[str, ...] = ()
    match: str = ""
    window: int = 0
    price: Price | None = None
    long: tuple[tuple[int, Price], ...] = ()


class Host(msgspec.Struct, frozen=True):
    """A host that serves models. `api` is a pattern of its addresses; `others` are hosts, by name,
    whose models it serves, too. `models` is decoded when it is needed."""

    api: str
    models: msgspec.Raw
    others: tuple[str, ...] = ()


class PriceTable(msgspec.Struct, frozen=True):
    """The prices of a `date`, from `source`, by the host's name."""

    date: str
    source: str
    hosts: dict[str, Host]


class ModelFacts(msgspec.Struct, frozen=True):
    """The prices of requests to a model, and its bounds; 0 or None if unknown.

    `price_date` is the date of the table if the price is from there, "" if from the config. The
    table's is an estimate: it has no agreements, discounts or fees. `long` as in `KnownModel`.
    """

    price: Price | None = None
    long: tuple[tuple[int, Price], ...] = ()
    price_date: str = ""
    context_window: int = 0
    max_output_tokens: int | None = None

    def priced(self, usage: Usage) -> Usage:
        """Return the usage with its cost, unless the provider sent it or no price is known."""
        if self.price is None or usage.cost is not None:
            return usage
        above = [price for tokens, price in self.long if usage.input > tokens]
        price = above[-1] if above else self.price
        cost = price.cost(usage.input, usage.output, usage.cached, usage.cache_write or 0)
        date = self.price_date or msgspec.UNSET
        return msgspec.structs.replace(usage, cost=cost, price_date=date)


@cache
def price_table() -> PriceTable:
    """Return the table that ships with lfg."""
    return msgspec.json.decode(_FILE.read_bytes(), type=PriceTable)


def model_facts(config: Config, route: Route) -> ModelFacts:
    """Return the facts about a model from the config, or else from the table.

    `[providers.NAME.models]` comes before `[providers.NAME]`; `max_output_tokens` is the least.
    """
    provider = config.provider(route.provider)
    model = provider.models.get(route.model)
    own = (*([model] if model else ()), provider)
    known = known_model(route.provider, provider, route.model) or KnownModel()
    price = next((one.price for one in own if one.price), None)
    window = next((one.context_window for one in own if one.context_window), known.window)
    bounds = (*(one.max_output_tokens for one in own), config.max_output_tokens)
    return ModelFacts(
        price=price or known.price,
        long=() if price else known.long,
        price_date=price_table().date if known.price and not price else "",
        context_window=window,
        max_output_tokens=min((one for one in bounds if one), default=None),
    )


def known_model(name: str, provider: ProviderConfig, model: str) -> KnownModel | None:
    """Return the table's entry for a model; `name` is the provider's. None if there is none."""
    address = provider.base_url or ("" if name in EMBEDDED else _HOSTS.get(provider.wire, ""))
    hosts = price_table().hosts
    host = next((one for one in hosts if address and re.match(hosts[one].api, address)), None)
    if host is None:
        return None
    found = (_find(one, model.lower()) for one in (host, *hosts[host].others))
    return next((one for one in found if one is not None), None)


def _find(host: str, model: str) -> KnownModel | None:
    """Return the host's first model of that name, or of the name with dashes in its date."""
    for name in dict.fromkeys((model, _DIGITS.sub(r"-\1-\2-\3", model))):
        for one in _models(host):
            if name in one.names or (one.match and re.search(one.match, name)):
                return one
    return None


@cache
def _models(host: str) -> tuple[KnownModel, ...]:
    return msgspec.json.decode(price_table().hosts[host].models, type=tuple[KnownModel, ...])
