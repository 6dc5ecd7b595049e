"""Calls that a person can approve: those that can be shown exactly as they will run.

Otherwise the call is denied unasked, and the model is told why.
"""

from collections.abc import Sequence

from lfgtui.model.call_summary import members_of
from lfgtui.model.fold.conversation import CallPart
from lfgtui.model.fold.items import ToolItem
from lfgtui.text import diffs
from lfgtui.text.redactor import is_marked
from lfgtui.text.terminal_safe import exposed
from lfgtui.tools import Preview

LONGEST_COMMAND = 10_000
"""Most characters of a command that a person can be expected to read before it runs."""

LONGEST_TEXT = 200_000
"""Most characters of any other argument."""

MOST_LINES = 1_000
LONGEST_LINE = 10_000
"""Most lines, and most characters of a line, that a card shows of one argument in the narrowest
pane."""

_SECRET = (
    "it contains what looks like a secret, which is hidden on the screen, so nobody could see"
    " what would run; read the secret from a file or from the environment"
)

_OTHER_CARD = "the approval card did not match the call; make the call again"


def unshowable(call: CallPart, shown: CallPart) -> str | None:
    """Return why the call cannot be approved when its card shows `shown`; None if it can be.

    The two differ only if a secret was redacted in `shown`, which comes from the history.
    """
    if call != shown:
        return _SECRET
    if not isinstance(call.arguments, dict):
        much = _too_much(call.arguments, LONGEST_TEXT)
        return None if much is None else f"the input is too long to approve: {much}"
    is_command = call.name == "run_command"
    longest = LONGEST_COMMAND if is_command else LONGEST_TEXT
    way = "write it to a file and run that" if is_command else "do it in parts"
    for member in members_of(call.arguments):
        if (much := _too_much(str(member.text), longest)) is not None:
            return f'"{member.name}" is too long to approve: {much}; {way}'
    return None


def unshowable_diffs(changes: Sequence[str]) -> str | None:
    """Return why changes cannot be approved because of their length; None if they can be."""
    whole = "".join(changes)
    if (lines := whole.count("\n")) <= diffs.MOST_LINES and len(whole) <= diffs.LONGEST:
        return None
    much = f"{lines:,} lines and {len(whole):,} characters"
    return f"the diff is too long to approve: {much}"


def shown_otherwise(call: CallPart, question: Preview, card: ToolItem | None) -> str | None:
    """Return why the approval given on the card is not valid for the call; None if it is.

    `question` is the preview that was asked about. A secret of the file may be redacted in the
    card's diff; the person can still judge by the arguments, which the card has, too.
    """
    if card is None or (card.name, card.arguments) != (call.name, call.arguments):
        return _OTHER_CARD
    if card.approval != question.summary:
        return _SECRET if is_marked(card.approval) else _OTHER_CARD
    if card.diff != question.diff and not is_marked(card.diff):
        return _OTHER_CARD
    return None


def _too_much(value: str, longest: int) -> str | None:
    """Return the size of the value, in words, if a card could not show all of it; None if it can.

    `exposed` text, as cards show it, may be longer: control characters are escaped in it.
    """
    if len(value) > longest or len(exposed(value)) > longest:
        return f"{len(value):,} characters (at most {longest:,} as shown)"
    if (lines := value.count("\n") + 1) > MOST_LINES:
        return f"{lines:,} lines (at most {MOST_LINES:,})"
    if (line := max(len(exposed(line)) for line in value.split("\n"))) > LONGEST_LINE:
        return f"a line of {line:,} characters (at most {LONGEST_LINE:,} as shown)"
    return None
