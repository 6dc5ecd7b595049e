"""What OpenAI's two wires share: keys, tools' names, and errors.

https://platform.openai.com/docs/guides/error-codes
"""

import re
from collections.abc import Mapping

from lfgtui.simulator.asked import UNKNOWN_MODEL, RefusalKind, Refused
from lfgtui.simulator.wires.base import ErrorBody, Json, bearer, dump

SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"

_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

_ERRORS: dict[RefusalKind, tuple[int | None, str, str | None, str]] = {
    "invalid": (None, "invalid_request_error", None, "Invalid request"),
    "auth": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "not_found": (404, "invalid_request_error", None, "Not found"),
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


def authorise(headers: Mapping[str, str], key: str) -> None:
    """Raise `Refused` (401) unless the request carries the key."""
    given = bearer(headers)
    if not given:
        raise Refused(
            401,
            "auth",
            "You didn't provide an API key. You need to provide your API key in an Authorization"
            " header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an"
            " API key from https://platform.openai.com/account/api-keys.",
        )
    if given != key:
        shown = given if len(given) < 9 else f"{given[:4]}{'*' * (len(given) - 8)}{given[-4:]}"
        raise Refused(
            401,
            "auth",
            f"Incorrect API key provided: {shown}. You can find your API key at"
            " https://platform.openai.com/account/api-keys.",
        )


def error_body(error: Refused) -> Json:
    """The `error` object."""
    _, kind, code, message = _ERRORS[error.kind]
    return {
        "message": error.message or message,
        "type": kind,
        "param": error.param,
        "code": error.code or code,
    }


def refuse(refused: Refused, request_id: str) -> ErrorBody:
    """The error's status, headers and body."""
    headers = {"x-request-id": request_id}
    if refused.retry_after is not None:
        headers["retry-after"] = f"{refused.retry_after:g}"
    status = _ERRORS[refused.kind][0] or refused.status
    return ErrorBody(status, headers, dump({"error": error_body(refused)}))


def missing(name: str) -> Refused:
    """A field that must be there."""
    return Refused(
        400,
        "invalid",
        f"Missing required parameter: '{name}'.",
        param=name,
        code="missing_required_parameter",
    )


def empty(name: str) -> Refused:
    """An array that must not be empty."""
    return Refused(
        400,
        "invalid",
        f"Invalid '{name}': empty array. Expected an array with minimum length 1,"
        " but got an empty array instead.",
        param=name,
        code="empty_array",
    )


def too_small(name: str, least: int, given: int) -> Refused:
    """A number below its minimum."""
    return Refused(
        400,
        "invalid",
        f"Invalid '{name}': integer below minimum value. Expected a value >= {least},"
        f" but got {given} instead.",
        param=name,
        code="integer_below_min_value",
    )


def check_model(model: str) -> None:
    """Raise `Refused` (404) for the one name that no service knows."""
    if model == UNKNOWN_MODEL:
        raise Refused(
            404,
            "not_found",
            f"The model `{model}` does not exist or you do not have access to it.",
            code="model_not_found",
        )


def check_tool_name(name: str, param: str) -> None:
    """Raise `Refused` for a name that is missing or has characters it must not have."""
    if not name:
        raise missing(param)
    if not _TOOL_NAME.fullmatch(name):
        raise Refused(
            400,
            "invalid",
            f"Invalid '{param}': string does not match pattern. Expected a string that matches"
            " the pattern '^[a-zA-Z0-9_-]+$'.",
            param=param,
            code="invalid_value",
        )


def cached_part(total: int, fresh: int) -> int:
    """The cached tokens of a prompt: whole blocks of 128 of the part seen before, from 1024.

    https://platform.openai.com/docs/guides/prompt-caching
    """
    seen = (total - fresh) // 128 * 128
    return seen if seen >= 1024 else 0
