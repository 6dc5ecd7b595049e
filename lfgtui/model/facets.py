"""The facets of an event: all that merging, packing, search, redaction and gauges know of it.

A class of events declares them once; code that handles events asks for them, not for the type.
`pieces` reads the fields that they name.
"""

from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "reasoning", "prompt", "tool_call", "tool_output", "error"]
"""The kinds of text that a search can be limited to; the index stores these names."""

IndexedKind: TypeAlias = Kind | Literal["fingerprint"]
"""The kinds in the index. A request's fingerprint is looked up there, but no search finds it."""

Part: TypeAlias = Literal["begins", "replaces", "completes"]
"""The effect of an event on the text of its call that streams in pieces: it begins a new text,
replaces all pieces, or ends the text and repeats it in whole or in part."""

Ends: TypeAlias = Literal["nothing", "text", "response", "turn"]
"""The streamed texts that an event ends. `nothing`: none, it may come in the middle of any;
`text`: answer, reasoning and the texts of its own call, which an event with a `part` ends, too;
`response`: all; `turn`: all, and the history may pack the entries so far."""


class Facets(NamedTuple):
    """The declaration of a class. `text`, `call`, `tool`, `json`, `also` name fields of it, or "".

    `kind`: None if search does not find the event; `text`: its text, in which pieces are joined;
    `call`: the id of its call; `tool`: the name of the call's tool; `json`: a value that others
    made, of any depth; `also`: one more text for search. `merges`: neighbours that differ only in
    `text` become one event before they are stored.
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
        """True for a piece from the model; speed and tokens are estimated from these."""
        return self.is_piece and self.kind != "tool_output"

    @property
    def is_aside(self) -> bool:
        """True if it may come in the middle of a streamed text, which goes on after it."""
        return self.ends == "nothing" and self.part is None and not self.is_piece
