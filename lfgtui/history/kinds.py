"""The kinds of text that search tells apart."""

from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "reasoning", "prompt", "tool_call", "tool_output", "error"]
