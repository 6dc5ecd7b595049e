"""The way back to an agent while its run is under way: messages of the person, and a cancel.

An agent that takes them says so: any other could take a message for a second request. Messages
that it does not report as taken go with the next request, so nothing here is sent twice, or kept
beyond the run.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from lfgtui.model.events import WireEvent
from lfgtui.providers import lenient_json
from lfgtui.providers.agent_server.decoder import AgentDecoder


@dataclass(eq=False)
class TwoWayStream:
    """The events of one run, and messages on their way to its agent. See `base.TakesMessages`.

    Messages wait for a connection, and until the agent accepts them. `post` sends on the open
    connection, and returns False if that is closing.
    """

    decoder: AgentDecoder
    events: AsyncGenerator[WireEvent, None] = field(init=False)
    post: Callable[[str], bool] | None = None
    _waiting: list[tuple[int, str]] = field(default_factory=list)

    def __aiter__(self) -> AsyncGenerator[WireEvent, None]:
        return self.events

    async def aclose(self) -> None:
        await self.events.aclose()

    def tell(self, message: int, text: str) -> None:
        """Send a message, now or once that is possible."""
        self._waiting.append((message, text))
        self.flush()

    def flush(self) -> None:
        """Send waiting messages, if possible."""
        while self._waiting and "message" in self.decoder.accepts and self.post:
            message, text = self._waiting[0]
            record = {"type": "message", "message_id": str(message), "content": text}
            if not self.post(lenient_json.compact(record)):
                return
            self.decoder.sent.add(str(message))
            del self._waiting[0]

    def disconnect(self) -> None:
        """Give up the connection. An agent still at work gets a cancel, if it takes one."""
        if self.post and "cancel" in self.decoder.accepts and not self.decoder.done:
            self.post(lenient_json.compact({"type": "cancel"}))
        self.post = None
