"""What is printed, and what of it a terminal, a pipe and a file get."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lfgtui.errors import UsageError
from lfgtui.text import output
from lfgtui.text.terminal_safe import json_safe
from tests.helpers.terminal import run_in_terminal
from tests.helpers.terminal_attacks import ALL
from tests.helpers.terminal_sequences import TEXT, foreign_sequences

HOSTILE = "say \x1b]52;c;UFdORUQ=\x07\x9b6n\u202e\U000e0041!"
SHOWN = "say ␛]52;c;UFdORUQ=␇␛6n␦␦!"


def ran(code: str, *, stdout: int | TextIO = subprocess.PIPE) -> tuple[str, str]:
    """What a program that uses `output` writes to stdout (unless it goes elsewhere) and stderr."""
    program = f"from lfgtui.text import output; output.install()\n{code}"
    ended = subprocess.run(
        [sys.executable, "-c", program], stdout=stdout, stderr=subprocess.PIPE, check=False
    )
    return (ended.stdout or b"").decode(), ended.stderr.decode()


def document(text: str, options: str = "") -> str:
    return f"d = output.Document({options})\nd.write({text!r})\nd.close()"


@pytest.mark.parametrize("text", [HOSTILE, "naïve שלום 中文 👩\u200d👩\u200d👧 \t|\n\n"])
def test_a_file_gets_a_document_as_it_is_and_a_pipe_with_raw(text: str, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        ran(document(text), stdout=file)
    assert (tmp_path / "out").read_text("utf-8") == text
    assert ran(document(text, "raw=True")) == (text, "")


def test_a_pipe_gets_it_with_control_characters_shown_and_a_remark() -> None:
    assert ran(document("naïve 中文 \t|\n\n")) == ("naïve 中文 \t|\n\n", "")
    assert ran(document(HOSTILE)) == (
        SHOWN,
        "replaced 5 control characters by symbols; use --raw, or write to a file, to keep them\n",
    )


def test_a_terminal_never_does(tmp_path: Path) -> None:
    program = f"from lfgtui.text import output\n{document(HOSTILE, 'raw=True')}"
    ended = run_in_terminal([sys.executable, "-c", program], os.environ, tmp_path)
    assert ended.raw.decode() == SHOWN


def test_raw_on_a_terminal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    output.check_raw()
    monkeypatch.setattr(output, "is_terminal", lambda stream: True)
    with pytest.raises(UsageError, match="pipe or a file"):
        output.check_raw()


@pytest.mark.parametrize(
    "complaint",
    [
        "raise ValueError({!r})",
        "import threading; threading.Thread(target=lambda: 1 / 0, name={!r}).start()",
        "import logging; logging.getLogger('x').error({!r})",
        "import warnings; warnings.warn({!r})",
        "import sys; print({!r}, file=sys.stderr)",
        "import argparse; argparse.ArgumentParser().parse_args([{!r}])",
        "import asyncio; asyncio.new_event_loop().call_exception_handler({{'message': {!r}}})",
        "class X:\n def __del__(self): raise ValueError({!r})\nx = X(); x.me = x",
        "from rich.console import Console; Console(stderr=True).print({!r}, style='red')",
        "import click; click.echo(click.style({!r}, fg='red'), err=True)",
    ],
)
def test_whatever_complains_on_stderr_is_harmless(complaint: str) -> None:
    _, said = ran(complaint.format(HOSTILE))
    assert said
    assert not foreign_sequences(said, TEXT)


def test_a_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_line("a\nlfg: b", output.Styled("\r\x1b[m", output.RED))
    output.print_remark("c\nd")
    output.print_error("e\n\tf  \x1b")
    assert capsys.readouterr() == ("a␊lfg: b␍␛[m\n", "c␊d\nlfg: e f ␛\n")


def test_an_error_is_no_longer_than_a_person_reads(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_error("x" * 1_000_000)
    assert capsys.readouterr().err.endswith("xx… (998,000 characters more)\n")


def test_styles_are_for_terminals(tmp_path: Path) -> None:
    code = "from lfgtui.text import output\noutput.print_line('a ', output.Styled('b\\x1b', 1))"
    assert ran(code)[0] == "a b␛\n"
    ended = run_in_terminal([sys.executable, "-c", code], os.environ, tmp_path)
    assert ended.raw == "a \x1b[1mb␛\x1b[0m\r\n".encode()
    ended = run_in_terminal([sys.executable, "-c", code], {**os.environ, "NO_COLOR": "1"}, tmp_path)
    assert ended.raw == "a b␛\r\n".encode()


def test_styles_of_rich_are_for_terminals_too_without_links(tmp_path: Path) -> None:
    code = (
        "from lfgtui.text import output; from rich.style import Style\n"
        "output.print_line(output.Styled('b\\x1b', Style(bold=True, link='http://a.b\\x1b')))"
    )
    assert ran(code)[0] == "b␛\n"
    ended = run_in_terminal([sys.executable, "-c", code], os.environ, tmp_path)
    assert ended.raw == "\x1b[1mb␛\x1b[0m\r\n".encode()


@given(st.text(max_size=20))
@example(ALL)
def test_json_is_safe_and_says_the_same(text: str) -> None:
    for encoded in (json.dumps([text], ensure_ascii=False), json.dumps({text: text})):
        for safe in (json_safe(encoded), json_safe(encoded, only_ascii=True)):
            assert not foreign_sequences(safe, TEXT)
            assert json.loads(safe) == json.loads(encoded)
        assert json_safe(encoded, only_ascii=True).isascii()


def test_a_locale_without_the_letters_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1"))
    output.print_json('"中é"\n')
    output.install()
    output.print_text("中é\x9b")
    assert written.getvalue() == b'"\\u4e2d\\u00e9"\n\\u4e2d\xe9\\u241b'


def test_nothing_is_printed_where_stdout_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    output.install()
    output.print_line("nobody reads this")
    output.Document().write("nor this")
