"""A person's own marks: they last, and a pin keeps a run from being pruned."""

import pytest

from lfgtui.errors import UsageError
from lfgtui.history.maintenance import annotations, deletion
from tests.history.conftest import Recorder
from tests.history.maintenance.test_housekeeping import finished


def test_pins_and_notes_are_kept(recorder: Recorder) -> None:
    run, other = finished(recorder, "alpha"), finished(recorder, "beta")
    annotations.pin(recorder.path, run, True)
    annotations.annotate(recorder.path, run, "  the one that worked\n")
    with recorder.history.reader() as reader:
        assert (reader.run(run).pinned, reader.run(run).note) == (True, "the one that worked")
        assert (reader.run(other).pinned, reader.run(other).note) == (False, "")
    annotations.pin(recorder.path, run, False)
    annotations.annotate(recorder.path, run, "")
    with recorder.history.reader() as reader:
        assert (reader.run(run).pinned, reader.run(run).note) == (False, "")


def test_what_is_pinned_is_never_old(recorder: Recorder) -> None:
    recorder.history._clock = lambda: 1000.0
    kept, old = finished(recorder, "kept"), finished(recorder, "old")
    annotations.pin(recorder.path, kept, True)
    assert deletion.older_than(recorder.path, 2000.0) == [old]


def test_a_note_is_no_document_and_a_run_must_be_there(recorder: Recorder) -> None:
    run = finished(recorder, "alpha")
    with pytest.raises(UsageError, match="2,001 characters; the limit is 2,000"):
        annotations.annotate(recorder.path, run, "x" * 2001)
    with pytest.raises(UsageError, match='no run "nope"'):
        annotations.pin(recorder.path, "nope", True)
