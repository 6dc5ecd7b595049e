"""The ways models write tool calls and reasoning into their text, by name.

They stand below `config` and `leakage`, which do not know each other.
"""

from typing import Literal, TypeAlias, get_args

Dialect: TypeAlias = Literal["think", "tools", "deepseek", "kimi", "harmony", "react"]
"""`think`: reasoning in tags, as `<think>`. `tools`: calls in tags, as `<tool_call>`,
`<invoke>`, `<function=...>`. `deepseek`, `kimi`, `harmony`: those models' special
tokens. `react`: lines that begin with `Action:`, `Action Input:` and the like."""

ALL_DIALECTS: frozenset[Dialect] = frozenset(get_args(Dialect))
