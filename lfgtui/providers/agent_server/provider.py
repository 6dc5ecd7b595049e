"""The provider of both wires to agent servers, which differ in how they connect.

There is no standard for requests. lfg sends what most small servers take: `model`,
`messages` with `role` and `content`, `system`, `stream`, and a `run_id` that stays
the same when a broken connection is resumed. For other servers the config has a
`body`, in which `{prompt}` and the like stand for the values. The agent has tools of
its own, so none are offered.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import ClassVar, TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

from lfgtui.errors import UsageError
from lfgtui.model.events import WireEvent
from lfgtui.model.fold.conversation import UserTurn, since_the_model
from lfgtui.providers.agent_server.connection import agent_pump
from lfgtui.providers.agent_server.decoder import AgentDecoder
from lfgtui.providers.agent_server.resume import Cursor
from lfgtui.providers.base import CONNECT_TIMEOUT, Request, Stream, sdk_headers
from lfgtui.providers.openai_chat.request import chat_messages
from lfgtui.providers.transport.body import Part
from lfgtui.providers.transport.probe import Probe

_OURS = {name: f"{{{name}}}" for name in ("model", "messages", "system", "stream", "run_id")}
"""The form of a body if the config has none."""
_PLACEHOLDER = re.compile(r"\{(model|messages|prompt|system|stream|run_id)\}")
"""Placeholders that the config's `body` may have for a value; `_body` has the values."""

Opening: TypeAlias = Callable[
    [dict[str, object], Cursor, Callable[[], None]],
    AbstractAsyncContextManager[AsyncGenerator[Sequence[Part], None]],
]
"""Opens a connection to the run that a body requests. See `connection.Connect` for the rest."""


class AgentProvider(ABC):
    """One agent server. See `base.Provider`. `registry` makes it in a thread."""

    wire: ClassVar[str]
    """The wire's name in the config, for messages."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        headers: Mapping[str, str],
        connect_timeout: float = CONNECT_TIMEOUT,
        body: Mapping[str, object] | None = None,
    ) -> None:
        if base_url is None:
            raise UsageError(f'the wire "{self.wire}" needs a "base_url"')
        bearer = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._base_url = base_url
        self._key = api_key
        self._headers = sdk_headers(bearer) | sdk_headers(headers)
        self._connect_timeout = connect_timeout
        self._body = body or _OURS
        self._probe: Probe | None = None
        self._prepare()

    @abstractmethod
    def stream(self, request: Request) -> Stream:
        """Return the events of one run. See `base.Provider.stream`."""

    async def aclose(self) -> None:  # noqa: B027 - most have nothing to close
        """Close what stays open between two runs."""

    def _prepare(self) -> None:  # noqa: B027 - the same
        """Do slow preparations, in the thread that makes the provider."""

    def _events(
        self, request: Request, decoder: AgentDecoder, opening: Opening
    ) -> AsyncGenerator[WireEvent, None]:
        """Return the events of one run, whose connections `opening` opens, for `stream`."""
        if self._probe is not None:
            self._probe.unknown = decoder.unknown
        connect = partial(opening, _body(self._body, request))
        host = urlsplit(self._base_url).hostname or ""
        return agent_pump(connect, decoder, request, key=self._key, host=host)


def _body(template: Mapping[str, object], request: Request) -> dict[str, object]:
    """Return the JSON body of a request, `extra` included."""
    unread = since_the_model(request.messages)
    prompts = [message.text for message in unread if isinstance(message, UserTurn)]
    values: dict[str, object] = {
        "model": request.model,
        "messages": chat_messages(None, request.messages),
        "prompt": "\n\n".join(prompts),
        "system": request.system,
        "stream": request.stream,
        "run_id": str(uuid4()),
    }
    return _filled_object(template, values) | request.extra


def _filled_object(form: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Fill in the values; a field that is only a placeholder is left out if it has no value."""
    filled = {name: _filled(value, values) for name, value in form.items()}
    return {name: value for name, value in filled.items() if value is not None}


def _filled(value: object, values: Mapping[str, object]) -> object:
    """Fill in the values at any depth; a text that is one placeholder becomes the value itself."""
    if isinstance(value, dict):
        return _filled_object(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    if whole := _PLACEHOLDER.fullmatch(value):
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: _within(values[match[1]], match[0]), value)


def _within(value: object, placeholder: str) -> str:
    """Return a value as part of a text; one that is no text leaves its placeholder there."""
    return value or "" if isinstance(value, str | None) else placeholder
