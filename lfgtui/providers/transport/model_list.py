"""The models that a server says it has."""

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from lfgtui.providers import lenient_json
from lfgtui.providers.errors.mapping import as_provider_error


class JsonResponse(Protocol):
    """What is used of httpx2's response."""

    @property
    def text(self) -> str: ...


@runtime_checkable
class ListsModels(Protocol):
    """A provider whose wire has a list of models."""

    async def models(self) -> list[str]:
        """Their names as the server gives them; raises `ProviderError`."""
        ...


async def listed_models(asking: Awaitable[JsonResponse], *, key: str | None) -> list[str]:
    """The names in the answer to `GET models`; raises `ProviderError`.

    Found as `data[].id` (OpenAI, Anthropic), as `models[].name`, and as a list
    without anything around it. Gemini writes `models/` before each name.
    """
    try:
        body = (await asking).text
    except Exception as error:
        raise as_provider_error(error, key=key) from error
    return names_in(body)


def names_in(body: str) -> list[str]:
    """The names of models in a body, in their order."""
    try:
        said = lenient_json.parse(body)
    except ValueError:
        return []
    record = lenient_json.as_object(said)
    items = said if record is None else record.get("data") or record.get("models")
    names = []
    for item in items if isinstance(items, list) else []:
        model = lenient_json.as_object(item) or {}
        name = next(filter(None, (lenient_json.text(model, key) for key in ("id", "name"))), "")
        if name:
            names.append(name.removeprefix("models/"))
    return names
