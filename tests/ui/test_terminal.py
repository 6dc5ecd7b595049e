"""A terminal that goes away does not take the program with it."""

import os
import pty

from lfgtui.ui.terminal import lasting


def test_what_is_written_to_a_terminal_arrives() -> None:
    ours, theirs = pty.openpty()
    with lasting(theirs) as output:
        output.write("hello ✓")
        output.flush()
        assert os.read(ours, 100).decode() == "hello ✓"
    os.close(ours)
    os.close(theirs)


def test_writing_to_a_terminal_that_is_gone_is_no_error() -> None:
    ours, theirs = pty.openpty()
    with lasting(theirs) as output:
        os.close(ours)
        output.write("into the void")
        output.flush()
    os.close(theirs)
