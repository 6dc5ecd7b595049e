"""Kinds of failures, by the names and codes of libraries, providers and servers, for `mapping`."""

from lfgtui.errors import ErrorKind

_SDKS = ("openai", "anthropic")
_TRANSPORTS = ("httpx", "httpx2", "httpcore", "httpcore2", "h11", "anyio", "websockets")
PACKAGES = frozenset((*_SDKS, *_TRANSPORTS))
"""Top-level packages of the classes in `KIND_OF_CLASS`."""


def _by_name(names: dict[ErrorKind, str]) -> dict[str, ErrorKind]:
    """Return the kind of each name, from the names of each kind."""
    return {name: kind for kind, listed in names.items() for name in listed.split()}


KIND_OF_CLASS = _by_name(
    {
        "auth": "OAuthError CredentialsError SubjectTokenProviderError WorkloadIdentityError",
        "invalid_request": """
            LocalProtocolError UnsupportedProtocol TooManyRedirects InvalidURL InvalidURI""",
        "server": "APIError RetryableError HTTPStatusError InvalidStatus",
        "timeout": "APITimeoutError TimeoutException",
        "connection": """
            APIConnectionError ConnectTimeout HTTPError ConnectionNotAvailable NetworkError
            InvalidProxy ProxyError""",
        "cut": """
            ReadError RemoteProtocolError BrokenResourceError EndOfStream ConnectionClosed
            WebSocketConnectionClosedError""",
        "protocol": """
            APIResponseValidationError APIWebhookValidationError LengthFinishReasonError
            InvalidWebhookSignatureError DecodingError SSEError InvalidHandshake ProtocolError
            PayloadTooBig TooManyFragments""",
        "content_filter": "ContentFilterFinishReasonError",
        "internal": "OpenAIError AnthropicError StreamError CookieConflict WebSocketException",
    }
)
"""Classes of exceptions. Each stands for its subclasses, too, unless they are named themselves.

A test fails if a new version of a package has a public error that is not here.
"""

KIND_OF_CODE = _by_name(
    {
        # Trying again does not fill an empty account.
        "auth": """
            authentication_error invalid_api_key permission_error permission_denied
            unauthenticated insufficient_quota billing_error billing_hard_limit_reached
            authentication_failed oauth_org_not_allowed""",
        "not_found": "not_found_error model_not_found not_found",
        "invalid_request": "invalid_request_error invalid_request invalid_prompt invalid_argument",
        "context_overflow": """
            context_length_exceeded exceed_context_size_error model_context_window_exceeded""",
        "rate_limit": """
            rate_limit_error rate_limit_exceeded rate_limit too_many_requests resource_exhausted
            usage_limit_reached""",
        "overloaded": """
            overloaded_error overloaded engine_overloaded service_unavailable
            server_is_overloaded slow_down""",
        "server": "api_error server_error internal_error internal_server_error",
        "timeout": "timeout_error",
        "content_filter": """
            content_filter content_policy_violation bio_policy misalignment_policy_violation
            image_content_policy_violation""",
    }
)
"""Codes and types in the errors that servers send, in lower case."""

KIND_OF_STATUS: dict[int | None, ErrorKind] = {
    **dict.fromkeys((401, 402, 403), "auth"),
    404: "not_found",
    408: "timeout",
    409: "server",
    429: "rate_limit",
    **dict.fromkeys((503, 529), "overloaded"),
}
"""HTTP statuses; any other is a bad request below 500, and the server's fault above."""

KIND_OF_CLOSE: dict[int, ErrorKind] = {
    **dict.fromkeys((1001, 1006, 1012), "cut"),
    **dict.fromkeys((1002, 1010), "protocol"),
    **dict.fromkeys((1003, 1007, 1009), "invalid_request"),
    # 1008 is a breach of some policy: what most servers send for a bad key.
    **dict.fromkeys((1008, 3000, 3003), "auth"),
    **dict.fromkeys((1011, 1014), "server"),
    1013: "overloaded",
    1015: "connection",
    3008: "timeout",
}
"""Close codes of a WebSocket. 1006 and 1015 are never sent: they stand for a missing close frame
and a failed TLS handshake.

See https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 and the registry at
https://www.iana.org/assignments/websocket/websocket.xhtml.
"""
