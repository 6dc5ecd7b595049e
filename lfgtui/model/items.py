"""Items of a transcript, in order of arrival.

Items grow in place while a stream runs; `revision` moves with every change,
so a painter knows what it can keep. They are written by the fold alone.
"""

from typing import Literal, TypeAlias

import msgspec

from lfgtui.model.events import Citation, ToolArguments
from lfgtui.text.growing_text import Growing

SHOWN = 50_000
"""Characters at the end of a text among which a card finds the rows that it shows."""


def _end_of(text: Growing, lines: int) -> tuple[str, int]:
    end = text.since(max(0, len(text) - SHOWN))
    return end, lines - end.count("\n")


class StreamedText(msgspec.Struct):
    """A text that streams in. `closed` once nothing more can be added to it."""

    revision: int = 0
    closed: bool = False
    _text: Growing = msgspec.field(default_factory=Growing)

    @property
    def text(self) -> str:
        return str(self._text)

    def append(self, text: str) -> None:
        self._text.append(text)
        self.revision += 1


class TextItem(StreamedText):
    """A run of the visible answer."""

    def since(self, position: int) -> str:
        """Return the text behind its first `position` characters."""
        return self._text.since(position)

    def piece(self, position: int, most: int) -> str:
        """Return at most `most` characters of the text from `position` on."""
        return self._text.piece(position, most)


class ReasoningItem(StreamedText):
    """A run of the model's thinking; `seconds` from its first piece to its last."""

    started_at: float = 0.0
    seconds: float = 0.0


ToolState = Literal[
    "arriving", "requested", "needs_approval", "running", "finished", "stopped", "written"
]


class ToolItem(msgspec.Struct):
    """One tool call: asked for, perhaps approved, run, finished.

    `stopped` is a call that its attempt did not live to see the end of. One
    that stood in the answer's text is never run: it ends as `written`.

    `arguments` is None until the call is complete; `arguments_json` is what
    has arrived of it. `live_output` is what it printed while running,
    `output` what the model was told in the end. `approval` is the one-line
    summary the person was asked about.
    """

    call_id: str
    name: str
    state: ToolState = "arriving"
    arguments: ToolArguments | None = None
    approval: str | None = None
    is_decided: bool = False
    denied: bool = False
    output: str = ""
    error: str | None = None
    exit_code: int | None = None
    seconds: float | None = None
    started_at: float | None = None
    is_text_borne: bool = False
    revision: int = 0
    _json: Growing = msgspec.field(default_factory=Growing)
    _live: Growing = msgspec.field(default_factory=Growing)
    _live_lines: int = 0

    @property
    def arguments_json(self) -> str:
        return str(self._json)

    def arguments_piece(self, position: int, most: int) -> str:
        """Return at most `most` characters of the arguments so far, from `position` on."""
        return self._json.piece(position, most)

    @property
    def arguments_end(self) -> str:
        """The end of the arguments so far, as much as a card may show."""
        return self._json.since(max(0, len(self._json) - SHOWN))

    @property
    def live_end(self) -> tuple[str, int]:
        """The end of the live output, as much as a card may show, and the count of lines before."""
        return _end_of(self._live, self._live_lines)

    @property
    def live_output(self) -> str:
        return str(self._live)

    def add_arguments(self, json: str) -> None:
        self._json.append(json)

    def add_output(self, text: str) -> None:
        self._live.append(text)
        self._live_lines += text.count("\n")


class HostedItem(msgspec.Struct):
    """A tool that ran on the provider's side; `output` is empty until it ended.

    `closed` once the response is over that asked for it: an answer may then only come
    with another response.
    """

    name: str
    input: str
    output: str
    call_id: str = ""
    closed: bool = False
    revision: int = 0
    _live: Growing = msgspec.field(default_factory=Growing)
    _live_lines: int = 0

    @property
    def live_output(self) -> str:
        return str(self._live)

    @property
    def live_end(self) -> tuple[str, int]:
        """The end of the live output, as much as a card may show, and the count of lines before."""
        return _end_of(self._live, self._live_lines)

    def add_output(self, text: str) -> None:
        self._live.append(text)
        self._live_lines += text.count("\n")
        self.revision += 1


class SourcesItem(msgspec.Struct):
    """Citations of one response, each source once."""

    citations: tuple[Citation, ...]
    revision: int = 0


class PromptItem(msgspec.Struct):
    """A message to the model; `own` is its text without the answers of the tickets it `needs`."""

    text: str
    own: str
    needs: tuple[str, ...] = ()
    revision: int = 0


NoteKind = Literal["status", "retry", "warning", "error", "end"]


class NoteItem(msgspec.Struct):
    """A line of lfg's own: a retry, a pause, a conflict, how it ended."""

    kind: NoteKind
    message: str
    revision: int = 0


Item: TypeAlias = (
    TextItem | ReasoningItem | ToolItem | HostedItem | SourcesItem | PromptItem | NoteItem
)
