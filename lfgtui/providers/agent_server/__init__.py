"""Agents on servers, which answer with SSE or over a WebSocket in one of many dialects."""
