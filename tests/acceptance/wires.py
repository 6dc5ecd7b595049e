"""lfg's three model wires, pointed at somebody's server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from lfgtui.errors import ProviderError
from lfgtui.model import events as e
from lfgtui.model.fold.conversation import UserTurn
from lfgtui.providers.base import Provider, Request
from lfgtui.providers.registry import Providers
from lfgtui.settings.config import Config
from lfgtui.settings.providers import ProviderConfig, WireName

WIRES: tuple[WireName, ...] = ("openai-chat", "openai-responses", "anthropic")


def at(wire: WireName, root: str, key_variable: str | None = None) -> ProviderConfig:
    """A provider on that server. Anthropic's SDK adds the version to the path by itself."""
    base_url = root if wire == "anthropic" else f"{root}/v1"
    return ProviderConfig(wire=wire, base_url=base_url, api_key_env=key_variable)


@asynccontextmanager
async def opened(said: ProviderConfig) -> AsyncIterator[Provider]:
    providers = Providers(Config(providers={"there": said}))
    try:
        yield await providers.get("there")
    finally:
        await providers.aclose()


@dataclass
class Answer:
    """What came, and how it broke if it did."""

    events: list[e.WireEvent] = field(default_factory=list)
    failure: ProviderError | None = None

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.events if isinstance(one, e.TextDelta))

    @property
    def reasoning(self) -> str:
        return "".join(one.text for one in self.events if isinstance(one, e.ReasoningDelta))

    @property
    def calls(self) -> list[tuple[str, str, e.ToolArguments]]:
        """Id, name and arguments of each requested call."""
        found = (one for one in self.events if isinstance(one, e.ToolCallRequested))
        return [(call.call_id, call.name, call.arguments) for call in found]

    @property
    def stop_reason(self) -> str | None:
        last = self.events[-1] if self.events else None
        return last.stop_reason if isinstance(last, e.ResponseFinished) else None

    @property
    def usage(self) -> e.Usage | None:
        """The last word on it."""
        found = [one for one in self.events if isinstance(one, e.Usage)]
        return found[-1] if found else None


async def answer(provider: Provider, model: str, prompt: str = "Go.", **more: object) -> Answer:
    """One response, up to its end or its failure."""
    asked: dict[str, object] = {"messages": [UserTurn(prompt)], **more}
    request = Request(model, **asked)  # type: ignore[arg-type]  # test shorthand
    got = Answer()
    try:
        async with asyncio.timeout(60), aclosing(provider.stream(request)) as stream:
            async for event in stream:
                got.events.append(event)
    except ProviderError as error:
        got.failure = error
    return got
