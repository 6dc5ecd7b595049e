"""Requests and bodies, the same for all wires: HTTP, SSE, WebSocket, time limits."""
