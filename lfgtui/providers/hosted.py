"""What a provider's own tools gave, in a few lines for a person.

The whole result is kept as a `ProviderItem`; this is only for the screen.
"""

from lfgtui.providers import loose_json
from lfgtui.providers.loose_json import JsonObject

_LONGEST = 2000


def summary(result: object) -> str:
    """The result of a hosted tool as text: titles and addresses, output, or the JSON."""
    if result is None:
        return ""
    if isinstance(result, str):
        said = result
    elif isinstance(result, list):
        said = "\n".join(_line(item) for item in result)
    else:
        said = _line(result)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _line(item: object) -> str:
    record = loose_json.as_object(item)
    if record is None:
        return item if isinstance(item, str) else loose_json.compact(item)
    for key in ("error_code", "text"):
        if said := loose_json.text(record, key):
            return said
    if "stdout" in record or "stderr" in record:
        return "\n".join(filter(None, (_said(record, "stdout"), _said(record, "stderr"))))
    if url := loose_json.text(record, "url"):
        title = loose_json.text(record, "title")
        return f"{title} {url}" if title else url
    return loose_json.compact(record)


def _said(record: JsonObject, key: str) -> str:
    return loose_json.text(record, key).rstrip("\n")
