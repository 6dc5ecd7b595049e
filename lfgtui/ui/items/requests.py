"""A call that waits for approval: its effects, the question, and the keys."""

from collections.abc import Iterator, Mapping

from lfgtui.model.approval_options import Verdict, plain_option
from lfgtui.model.call_summary import Member, members_of
from lfgtui.model.fold.items import ToolItem
from lfgtui.model.tickets import NO_SANDBOX
from lfgtui.model.unified_diff import beside
from lfgtui.text.redactor import is_marked
from lfgtui.ui.items.clipping import shortened
from lfgtui.ui.text.palette import STRONG, Palette
from lfgtui.ui.text.styled_line import one_line
from lfgtui.ui.text.wrapping import Row, wrap

_LONGEST, _BEGIN = 600, 40
"""Most characters of a command that the question repeats whole, and of a longer one's beginning."""

_IN_QUESTION = frozenset({"command", "path", "pattern", "glob"})
"""Arguments of lfg's tools that the question may show, exactly."""

# The actions of the keys that answer a request, with their verdicts.
_DECISIONS: tuple[tuple[str, Verdict], ...] = (("approve", "allow"), ("deny", "reject"))


def unsaid_arguments(
    item: ToolItem, arguments: Mapping[str, object], question: str
) -> Iterator[Member]:
    """Yield the arguments that the card still has to show: those in no diff or question.

    An agent words its question itself, so it counts as showing a command only if it is exactly
    the command.
    """
    if item.definition:  # only its server knows what its arguments mean
        yield from members_of(arguments)
        return
    diffs = [diff for _, diff in item.diffs]
    if item.is_agent_call:
        for member in members_of(beside(diffs, arguments)):
            if member.name != "command" or not _is_whole(question, str(member.text)):
                yield member
        if len(diffs) < 2 and item.path and item.path not in arguments.values():
            yield Member.whole("file", item.path)
        return
    for member in members_of({} if diffs and not is_marked(diffs[0]) else arguments):
        text = str(member.text)
        if not (member.name in _IN_QUESTION and text and text in question):
            yield member


def question_rows(item: ToolItem, question: str, palette: Palette, width: int) -> Iterator[Row]:
    """Yield the question and the keys that answer it."""
    if item.reason:
        yield from wrap([(one_line(item.reason), palette.warn)], width)
    words = (_agents_question if item.is_agent_call else _question)(item, question)
    yield from wrap([(shortened(words), palette.text + STRONG)], width)
    if item.sandbox:
        style = palette.warn if item.sandbox == NO_SANDBOX else palette.muted
        yield from wrap([(f"runs {item.sandbox}", style)], width)
    if not item.is_next:
        yield from wrap([("decide the earlier request first", palette.muted)], width)
        return
    approve, deny = (f" {does}{_lasting(item, verdict)}" for does, verdict in _DECISIONS)
    keys = (("a", f"{approve} · "), ("A", " rules… · "), ("d", deny))
    styles = (palette.warn + STRONG, palette.muted)
    yield from wrap([span for pair in keys for span in zip(pair, styles, strict=True)], width)


def _question(item: ToolItem, question: str) -> str:
    """Return the question; of a long command, which is shown above, only the beginning."""
    command = _command(item)
    if command is None or command in question:
        return question
    lines = command.strip("\n").count("\n") + 1
    begin = question.partition("⏎")[0]
    if lines == 1 and len(question) <= _LONGEST:
        return question
    much = f"{lines:,} lines" if lines > 1 else f"{len(command):,} characters"
    return f"{begin[:_BEGIN].rstrip()} … ({much})"


def _agents_question(item: ToolItem, question: str) -> str:
    """Return the command if the agent's question is just that, otherwise its first line."""
    command = _command(item)
    if command is not None and _is_whole(question, command):
        return f"$ {command}"
    line, broken, _ = question.partition("\n")
    return f"{line[:_BEGIN].rstrip()} …" if broken or len(line) > _LONGEST else line


def _command(item: ToolItem) -> str | None:
    command = item.arguments.get("command") if isinstance(item.arguments, Mapping) else None
    return command if isinstance(command, str) else None


def _is_whole(question: str, command: str) -> bool:
    """Return True if an agent's question is exactly the command, on one line."""
    is_line = "\n" not in question and len(question) <= _LONGEST
    return is_line and question.removeprefix("$ ") == command


def _lasting(item: ToolItem, verdict: Verdict) -> str:
    """Return ` (NAME)` of the answer that a key gives if it holds for later calls, too; else ""."""
    plain = plain_option(item.options, verdict)
    return f" ({one_line(plain.name)})" if plain and plain.kind.endswith("always") else ""
