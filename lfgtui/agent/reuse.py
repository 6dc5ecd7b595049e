"""Answers from the history instead of new requests (`cache_answers`).

Requests are equal if all their bytes are, and they go to the same server with the same key. The
stored answer is then emitted again as if it had just streamed: calls in it are new calls, approved
and run like any other, and nothing counts as spent.
"""

import asyncio
from collections.abc import AsyncGenerator
from hashlib import sha256

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from lfgtui.agent.context import AgentContext
from lfgtui.history.answers import KeptAnswer
from lfgtui.model import events as e
from lfgtui.providers.base import HasFingerprints, Provider, Request


class Reuse:
    """The reuse of answers in one attempt.

    Nothing is reused if the ticket does not want it, or an installed agent works on it.
    """

    def __init__(self, context: AgentContext, provider: Provider) -> None:
        self._context = context
        self._cache = context.answers
        self._provider = provider if isinstance(provider, HasFingerprints) else None

    def fingerprint(self, request: Request) -> str | UnsetType:
        """Return the fingerprint that equal requests have; `UNSET` if nothing is reused."""
        if self._cache is None or self._provider is None:
            return UNSET
        name = self._context.transcript.attempts[-1].provider
        return sha256(f"{name} {self._provider.fingerprint(request)}".encode()).hexdigest()

    async def find(self, fingerprint: str | UnsetType) -> KeptAnswer | None:
        """Return the answer to an equal request; None if there is none.

        Waits for a slot, and for what the person said meanwhile: the caller has to compare the
        fingerprint of the next request with this one again.
        """
        if self._cache is None or fingerprint is UNSET:
            return None
        await self._context.take_slot()
        answer = await asyncio.to_thread(self._cache.find, fingerprint)
        await self._context.hear()
        return answer


def reused(answer: KeptAnswer, turn: int) -> e.AnswerReused:
    """Return the event that begins the turn `turn` with a reused answer."""
    source = f"{answer.run}/{answer.ticket}"
    return e.AnswerReused(turn, source, answer.recorded_at, answer.tokens)


async def events_of(answer: KeptAnswer, turn: int) -> AsyncGenerator[e.WireEvent, None]:
    """Yield the answer's events as a provider's stream does. See `providers.base.Stream`."""
    for event in answer.events:
        yield event
    yield replace(answer.finished, turn=turn, commit=UNSET, paint=UNSET)
