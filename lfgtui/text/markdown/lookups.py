"""Definitions that note who asks for them."""

from typing import TypeVar, overload

from lfgtui.text.markdown.parser import Definitions

_T = TypeVar("_T")


class Lookups(Definitions):
    """A copy of definitions; `asked` are the labels that were looked up, found or not."""

    def __init__(self, definitions: Definitions) -> None:
        super().__init__(definitions)
        self.asked: set[str] = set()

    @overload
    def get(self, key: str, default: None = None, /) -> dict[str, object] | None: ...
    @overload
    def get(self, key: str, default: _T, /) -> dict[str, object] | _T: ...
    def get(self, key: str, default: object = None, /) -> object:
        self.asked.add(key)
        return super().get(key, default)
