"""Agents behind SSE or WebSocket servers."""
