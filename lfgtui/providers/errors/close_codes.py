"""What a WebSocket's close code says, when a server sends it, of why it closed.

The meanings are those of https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
and the registry https://www.iana.org/assignments/websocket/websocket.xhtml.
1008, a breach of some policy, is what most servers close with for a bad key.
"""

from lfgtui.errors import ErrorKind

KIND_OF_CLOSE: dict[int, ErrorKind] = {
    1001: "cut",
    1002: "protocol",
    1003: "invalid_request",
    1006: "cut",
    1007: "invalid_request",
    1008: "auth",
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
