"""An MCP server with an address, by the official package; it prints its port."""

import socket

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from starlette.requests import Request

server = MCPServer("address")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def token(ctx: Context) -> str:
    """Return the header that the client sent."""
    request = ctx.request_context.request
    assert isinstance(request, Request)
    return request.headers.get("x-token", "none")


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    app = server.streamable_http_app()
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])
