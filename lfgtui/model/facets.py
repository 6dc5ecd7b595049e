"""The facets of an event: all that merging, packing, search, redaction and gauges know of it.

A class of events declares them once; code that handles events asks for them, not for the type.
"""

from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "reasoning", "prompt", "tool_call", "tool_output", "error"]
"""The kinds of text that a search can be limited to."""

IndexedKind: TypeAlias = Kind | Literal["fingerprint"]
"""The kinds in the index. Fingerprints are only looked up; searches do not find them."""

Part: TypeAlias = Literal["begins", "replaces", "completes"]
"""What an event does to the text of its call: it begins a new one, replaces all pieces, or repeats
their text in whole or in part."""

Ends: TypeAlias = Literal["nothing", "text", "response", "turn"]
"""The texts that an event ends. `nothing`: it may come in the middle of any text; `text`: those
without a call, and that of its own call, as an event with a part does; `response`: all; `turn`:
all, and the entries so far are complete."""


class Facets(NamedTuple):
    """The declaration of a class. All but `kind` and the last three are names of fields.

    `kind`: None if search does not find the event; `text`: the text, which pieces are joined by;
    `call`: the id of its call; `tool`: the name of the call's tool; `json`: a value that others
    made, of any depth; `also`: one more text for search. `merges`: neighbours that differ only in
    `text` become one.
    """

    kind: IndexedKind | None = None
    text: str = ""
    call: str = ""
    tool: str = ""
    json: str = ""
    also: str = ""
    merges: bool = False
    part: Part | None = None
    ends: Ends = "nothing"

    @property
    def is_piece(self) -> bool:
        """True for a piece of a longer text."""
        return self.merges and self.text != ""

    @property
    def is_generated(self) -> bool:
        """True for a piece from the model; tokens a second are counted from these."""
        return self.is_piece and self.kind != "tool_output"

    @property
    def is_aside(self) -> bool:
        """True if it may come in the middle of a text, which goes on after it."""
        return self.ends == "nothing" and self.part is None and not self.is_piece
