"""Kinds of failures by the names and codes that libraries, providers and servers give them."""

from lfgtui.errors import ErrorKind

PACKAGES = frozenset(
    {
        "openai",
        "anthropic",
        "httpx",
        "httpx2",
        "websockets",
        "httpcore",
        "httpcore2",
        "h11",
        "anyio",
    }
)
"""The packages whose classes are known by name."""

KIND_OF_CLASS: dict[str, ErrorKind] = {
    # the SDKs
    "APITimeoutError": "timeout",
    "APIConnectionError": "connection",
    "APIResponseValidationError": "protocol",
    "APIWebhookValidationError": "protocol",
    "APIStatusError": "server",
    "APIError": "server",
    "OAuthError": "auth",
    "CredentialsError": "auth",
    "SubjectTokenProviderError": "auth",
    "WorkloadIdentityError": "auth",
    "LengthFinishReasonError": "protocol",
    "ContentFilterFinishReasonError": "content_filter",
    "InvalidWebhookSignatureError": "protocol",
    "WebSocketConnectionClosedError": "cut",
    "WebSocketQueueFullError": "internal",
    "RetryableError": "server",
    "OpenAIError": "internal",
    "AnthropicError": "internal",
    # httpx and httpx2
    "ConnectTimeout": "connection",
    "TimeoutException": "timeout",
    "ReadError": "cut",
    "RemoteProtocolError": "cut",
    "LocalProtocolError": "invalid_request",
    "UnsupportedProtocol": "invalid_request",
    "TooManyRedirects": "invalid_request",
    "InvalidURL": "invalid_request",
    "DecodingError": "protocol",
    "SSEError": "protocol",
    "StreamError": "internal",
    "CookieConflict": "internal",
    "HTTPStatusError": "server",
    "HTTPError": "connection",
    # httpcore and anyio, which the HTTP clients wrap, and may forget to
    "ConnectionNotAvailable": "connection",
    "NetworkError": "connection",
    "BrokenResourceError": "cut",
    "ClosedResourceError": "cut",
    "EndOfStream": "cut",
    "IncompleteRead": "cut",
    # websockets; a `ConnectionClosed` with a close code goes by that
    "ConnectionClosed": "cut",
    "InvalidURI": "invalid_request",
    "InvalidProxy": "connection",
    "ProxyError": "connection",
    "InvalidStatus": "server",
    "InvalidHandshake": "protocol",
    "ProtocolError": "protocol",
    "PayloadTooBig": "protocol",
    "TooManyFragments": "protocol",
    "InvalidState": "internal",
    "ConcurrencyError": "internal",
    "WebSocketException": "internal",
}

KIND_OF_CODE: dict[str, ErrorKind] = {
    "context_length_exceeded": "context_overflow",
    "exceed_context_size_error": "context_overflow",
    "model_context_window_exceeded": "context_overflow",
    "overloaded_error": "overloaded",
    "overloaded": "overloaded",
    "engine_overloaded": "overloaded",
    "service_unavailable": "overloaded",
    "server_is_overloaded": "overloaded",
    "slow_down": "overloaded",
    # Trying again does not fill an empty account.
    "insufficient_quota": "auth",
    "billing_error": "auth",
    "billing_hard_limit_reached": "auth",
    "rate_limit_error": "rate_limit",
    "rate_limit_exceeded": "rate_limit",
    "too_many_requests": "rate_limit",
    "resource_exhausted": "rate_limit",
    "authentication_error": "auth",
    "invalid_api_key": "auth",
    "permission_error": "auth",
    "permission_denied": "auth",
    "unauthenticated": "auth",
    "not_found_error": "not_found",
    "model_not_found": "not_found",
    "not_found": "not_found",
    "timeout_error": "timeout",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "bio_policy": "content_filter",
    "misalignment_policy_violation": "content_filter",
    "image_content_policy_violation": "content_filter",
    "api_error": "server",
    "server_error": "server",
    "internal_error": "server",
    "internal_server_error": "server",
    "invalid_request_error": "invalid_request",
    "invalid_prompt": "invalid_request",
    "invalid_argument": "invalid_request",
}

KIND_OF_CLOSE: dict[int, ErrorKind] = {
    1001: "cut",
    1002: "protocol",
    1003: "invalid_request",
    1006: "cut",
    1007: "invalid_request",
    1008: "auth",  # a breach of some policy: what most servers send for a bad key
    1009: "invalid_request",
    1010: "protocol",
    1011: "server",
    1012: "cut",
    1013: "overloaded",
    1014: "server",
    1015: "connection",
    3000: "auth",
    3003: "auth",
    3008: "timeout",
}
"""Close codes of a WebSocket, sent by a server.

See https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 and the registry at
https://www.iana.org/assignments/websocket/websocket.xhtml.
"""
