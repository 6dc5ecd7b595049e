"""The parts that OpenAI's two wires share: keys, errors, and the count of cached tokens.

https://platform.openai.com/docs/guides/error-codes
"""

from collections.abc import Mapping

from lfgtui.simulator.request import UNKNOWN_MODEL, RefusalKind, Refused
from lfgtui.simulator.wires.base import Json, Wire, bearer
from lfgtui.simulator.wires.shapes import Fault

SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"

_INVALID = "invalid_request_error"
# Status, type, code and message of each kind of error.
_ERRORS: dict[RefusalKind, tuple[int, str, str | None, str]] = {
    "invalid": (400, _INVALID, None, "Invalid request"),
    "json": (400, _INVALID, None, "We could not parse the JSON body of your request."),
    "auth": (401, _INVALID, "invalid_api_key", "Incorrect API key provided."),
    "not_found": (404, _INVALID, None, "Not found"),
    "rate_limit": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again later."
        " Visit https://platform.openai.com/account/rate-limits to learn more.",
    ),
    "overloaded": (
        503,
        "server_error",
        None,
        "The engine is currently overloaded, please try again later.",
    ),
    "server": (500, "server_error", None, SERVER_ERROR),
}


class OpenAIWire(Wire):
    """The parts that both wires share."""

    id_header = "x-request-id"

    def authorise(self, headers: Mapping[str, str], key: str | None) -> None:
        given = bearer(headers)
        if key is not None and not given:
            raise Refused(
                "auth",
                "You didn't provide an API key. You need to provide your API key in an"
                " Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
                " You can obtain an API key from https://platform.openai.com/account/api-keys.",
            )
        if key not in (None, given):
            shown = given if len(given) < 9 else f"{given[:4]}{'*' * (len(given) - 8)}{given[-4:]}"
            raise Refused(
                "auth",
                f"Incorrect API key provided: {shown}. You can find your API key at"
                " https://platform.openai.com/account/api-keys.",
            )

    def misshapen(self, fault: Fault) -> Refused:
        at = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in fault.path).lstrip(".")
        if fault.kind == "missing":
            return missing(at)
        return invalid(f"Invalid value for '{at}': {fault.message}.", at)

    def refuse(self, refused: Refused, request_id: str) -> tuple[int, Json]:
        return _ERRORS[refused.kind][0], {"error": error_body(refused)}


def error_body(error: Refused) -> Json:
    """Return the `error` object."""
    _, kind, code, message = _ERRORS[error.kind]
    return {
        "message": error.message or message,
        "type": kind,
        "param": error.param,
        "code": error.code or code,
    }


def invalid(message: str, param: str | None, code: str | None = None) -> Refused:
    """Return the error for an invalid request; `param` names the field."""
    return Refused("invalid", message, param=param, code=code)


def missing(name: str) -> Refused:
    """Return the error for a required field that is missing."""
    message = f"Missing required parameter: '{name}'."
    return invalid(message, name, "missing_required_parameter")


def check_model(model: str) -> None:
    """Raise `Refused` for `UNKNOWN_MODEL`."""
    if model == UNKNOWN_MODEL:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refused("not_found", message, code="model_not_found")


def cached_part(total: int, fresh: int) -> int:
    """Return the cached tokens: whole blocks of 128, at least 1024, of what is not `fresh`.

    https://platform.openai.com/docs/guides/prompt-caching
    """
    seen = (total - fresh) // 128 * 128
    return seen if seen >= 1024 else 0
