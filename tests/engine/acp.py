"""A scripted agent behind the engine: its process is real, and so is all between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from lfgtui.model import events as e
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.tickets import Ticket
from lfgtui.settings.providers import ProviderConfig
from tests.acp.agent import Json
from tests.acp.scripts import ScriptedAgent
from tests.engine.harness import Room, room, ticket
from tests.helpers.waiting import PATIENCE


def mine(folder: Path, name: str = "a", **keys: object) -> Ticket:
    """A ticket for the agent."""
    return ticket(name, folder, **{"provider": "mine", "model": "", **keys})


@asynccontextmanager
async def working(
    folder: Path, agent: ScriptedAgent, tickets: Sequence[Ticket] = (), **how: Any
) -> AsyncIterator[Room]:
    """An engine whose provider `mine` is the agent; `how` as for `room`."""
    more = {"mine": ProviderConfig(wire="acp", command=agent.command), **how.pop("more", {})}
    async with (
        room(folder, tickets or [mine(folder)], more=more, **how) as opened,
        asyncio.timeout(PATIENCE),
    ):
        yield opened


def prompts(agent: ScriptedAgent) -> list[str]:
    """The texts of the prompts that it got."""
    asked = agent.received("session/prompt")
    return ["".join(str(block["text"]) for block in cast(list[Json], p["prompt"])) for p in asked]


def calls(room: Room, ticket: str = "a") -> list[ToolItem]:
    """The calls of the ticket, those of all attempts."""
    return [call for attempt in room.attempts(ticket) for call in attempt.tools]


def text(room: Room, ticket: str = "a") -> str:
    """The text of the newest attempt."""
    return room.attempts(ticket)[-1].text


def notes(room: Room, ticket: str = "a") -> list[str]:
    """The remarks that were shown."""
    return [one.message for one in room.events(ticket, e.Status)]
