"""Secrets taken out of what is exported, and, if asked, of what is stored."""

from lfgtui.redaction.events import (
    EventRedactor,
    is_empty_delta,
    redacted_entries,
    redacted_ticket,
)
from lfgtui.redaction.redactor import Redactor, TextStream, is_key, is_marked

__all__ = [
    "EventRedactor",
    "Redactor",
    "TextStream",
    "is_empty_delta",
    "is_key",
    "is_marked",
    "redacted_entries",
    "redacted_ticket",
]
