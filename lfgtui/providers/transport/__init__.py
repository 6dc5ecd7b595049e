"""Requests and bodies: HTTP, SSE, WebSocket, time limits."""
