from collections.abc import Iterator
from contextlib import closing
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.errors import UsageError
from lfgtui.history import maintenance, query
from lfgtui.history.reader import Reader
from lfgtui.history.search import SearchHit, search
from lfgtui.history.storage import file
from lfgtui.model import events as e
from lfgtui.model.fold.states import State
from tests.history.conftest import Recording
from tests.history.story import BEGIN, STORY


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    """A history of one run: the story."""
    recorder = Recording(tmp_path_factory.mktemp("story") / "history.db")
    recorder.play(recorder.start("a"), "a", STORY)
    yield recorder
    recorder.close()


def prompted(recorder: Recording, *prompts: str) -> Recording:
    """A run of these prompts and nothing else."""
    run = recorder.start("a")
    recorder.play(run, "a", [*BEGIN[:2], *(e.UserMessage(text) for text in prompts)])
    return recorder


def matches(hits: list[SearchHit]) -> list[tuple[str, list[str]]]:
    return [(hit.kind, [hit.snippet[start:end] for start, end in hit.matches]) for hit in hits]


FOUND = {
    "prompt": ("mend",),
    "reasoning": ("tokeniser",),
    "text": ("look", '"at lexer"', "halfway"),
    "tool_call": ("main", "leaf", "pytest", "whoami", "lexer.py"),
    "tool_output": ("permission", "four", "deprecated", "drizzle", "already", "unfinished"),
    "error": ("overload", "thrice", "x-api-key"),
}


@pytest.mark.parametrize(
    ("words", "kind", "match"),
    [
        *((word, kind, word.strip('"')) for kind, words in FOUND.items() for word in words),
        ("grosse NOT mend OR größe", "text", "Größe"),
        ("grö*", "text", "Größe"),
    ],
)
def test_what_is_shown_is_found_once(story: Recording, words: str, kind: str, match: str) -> None:
    assert matches(story.search(words)) == [(kind, [match])]


def test_a_hit_names_the_entry_it_begins_with(story: Recording) -> None:
    (hit,) = story.search("halfway")
    entry = story.stored(hit.run)[hit.seq - 1]
    assert hit.ticket == "a" and hit.attempt == entry.attempt and hit.at == entry.at
    assert isinstance(entry.event, e.TextDelta) and entry.event.text.startswith("this breaks")


CALL = e.ToolCallRequested("c", "run_command", {})
SHOWN = e.ToolOutputDelta("c", "stdout", "alpha beta")
REPORTED = e.ToolCallFinished("c", "alpha [cut] gamma", None, 0, 1.0)


@pytest.mark.parametrize(
    ("life", "words"),
    [
        ([*BEGIN, CALL, e.ResponseFinished(1, "tool_use"), SHOWN, REPORTED], ["beta", "gamma"]),
        ([*STORY[:20], e.TicketCancelled()], ["collected"]),
    ],
    ids=["shown and reported differently", "of a cancelled tool"],
)
def test_all_output_is_found(recorder: Recording, life: list[e.Event], words: list[str]) -> None:
    recorder.play_run(life)
    assert matches(recorder.search(" ".join(words))) == [("tool_output", words)]


def test_hits_come_newest_first_up_to_the_limit(recorder: Recording) -> None:
    prompted(recorder, *(f"same word {n}" for n in range(20)))
    assert [hit.seq for hit in recorder.search("word", 3)] == [22, 21, 20]


def test_the_last_word_may_be_unfinished_while_typing(story: Recording) -> None:
    assert matches(story.search("mend par", prefix=True)) == [("prompt", ["mend", "parser"])]
    assert matches(story.search("x-api-k", prefix=True)) == [("error", ["x-api-key"])]
    assert story.search("mend par") == []


@pytest.mark.parametrize("words", ["", "  ", "*", ":", '"', "(", "AND", "^", "\0", "-", "+", "''"])
def test_a_query_without_words_finds_nothing(story: Recording, words: str) -> None:
    assert story.search(words) == story.search(words, prefix=True) == []


@pytest.mark.parametrize(
    ("words", "found", "is_literal"),
    [
        ('"mend the', ["mend", "the"], True),
        ("mend (parser", ["mend", "parser"], True),
        ("the AND", [], True),
        ("mend; parser!", ["mend", "parser"], False),
        ("re-use", ["re-use"], False),
        ("c++ re-use", [], False),
        ("prompt:mend", [], False),
        ("mend AND the", ["mend", "the"], False),
        ("pars*", ["parser"], False),
    ],
)
@pytest.mark.parametrize("ranked", [False, True])
def test_an_invalid_query_is_searched_for_literally_and_reported(
    recorder: Recording, words: str, found: list[str], is_literal: bool, ranked: bool
) -> None:
    prompted(recorder, "please mend the parser, re-use it")
    with closing(file.connect_to_read(recorder.path)) as db:
        result = search(db, words, 10, ranked=ranked)
    assert matches(result.hits) == ([("prompt", found)] if found else [])
    assert result.is_literal is is_literal


def test_any_query_is_answered(story: Recording) -> None:
    syntax = st.sampled_from(['"', "*", "(", ")", "AND", "OR", "NOT", "NEAR(", ":", "^", "+", "-"])
    words = st.sampled_from(["mend", "text", "rank", "segments_fts", "c++", "{a b}", "'", ","])
    queries = st.lists(syntax | words | st.text(st.characters(), max_size=5), max_size=40)

    with Reader(story.path) as reader:

        @settings(max_examples=300, deadline=None)
        @given(queries.map(" ".join) | st.text(st.characters()), st.booleans())
        def check(words: str, prefix: bool) -> None:
            for hit in reader.search(words, prefix=prefix):
                assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.matches)

        check()
        for long in ("mend " * 200, "(" * 999, "x" * 1000, "NEAR(" * 199, '"' * 999, "fox\0"):
            for ranked in (False, True):
                reader.search(long, ranked=ranked)


@given(st.text(st.characters(), max_size=600), st.data())
def test_an_excerpt_is_a_part_of_the_text_with_its_matches(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(text)), unique=True).map(sorted))
    found = list(zip(places[::2], places[1::2], strict=False))
    snippet, shown = query.excerpt(text, found)
    whole = [text[start:end] for start, end in found]
    assert len(snippet) <= 202 and (snippet.removeprefix("…").removesuffix("…") in text)
    for start, end in shown:
        assert any(match.startswith(snippet[start:end]) for match in whole)
        assert 0 <= start < end <= len(snippet)
    assert bool(shown) == bool(found)


def test_an_excerpt_shows_as_many_of_the_words_as_it_can() -> None:
    text = "alpha " + "filler " * 100 + "then alpha and beta together " + "filler " * 100
    second = text.index("alpha", 10)
    beta = text.index("beta")
    snippet, shown = query.excerpt(text, [(0, 5), (second, second + 5), (beta, beta + 4)])
    assert snippet.startswith("…") and snippet.endswith("filler…")
    assert [snippet[start:end] for start, end in shown] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("NEEDLE AND hay", {"hay", "needle"}),
        ('"needle_case"', {"needle_case"}),
        ("need* NOT pin", {"needle"}),
    ],
)
def test_matches_in_a_long_text_are_shown(recorder: Recording, words: str, shown: set[str]) -> None:
    text = "hay " * 60_000 + "a needle_case " + "hay " * 60_000
    (hit,) = prompted(recorder, text).search(words)
    assert len(hit.snippet) <= 202 and hit.matches
    assert {hit.snippet[start:end] for start, end in hit.matches} <= shown


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("kind:error", ["error", "error", "error"]),
        ("kind:error overload OR thrice", ["error", "error"]),
        ("tool:run_command", ["tool_call", "tool_output", "tool_call"]),
        ("tool:write_file permission", ["tool_output"]),
        ("file:lexer.py", ["tool_output", "tool_call"]),
        ("file:lexer.py main", ["tool_call"]),
        ("ticket:a provider:simulator model:m state:failed look", ["text"]),
        ("ticket:b look", []),
        ("provider:openai look", []),
        ("state:done look", []),
        ("after:1970-01-02 look", []),
        ("before:1970-01-02 look", ["text"]),
        ("before:7d look", ["text"]),
        ("after:yesterday look", []),
        ('tool:"run_command" whoami', ["tool_call"]),
        ("nofilter:look", []),
        ("\udcff ticket:\udcff", []),
    ],
)
def test_filters_restrict_the_hits(story: Recording, words: str, kinds: list[str]) -> None:
    assert [hit.kind for hit in story.search(words)] == kinds


def test_the_states_of_the_filter_are_those_of_a_ticket() -> None:
    assert set(query.STATES) == set(get_args(State))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("state:faild x", 'state:faild: no such state; did you mean "failed"?'),
        ("kind:txt", 'kind:txt: no such kind; did you mean "text"?'),
        ("after:soon x", "after:soon: expected a date"),
        ("after:99999999999d x", "after:99999999999d: expected a date"),
    ],
)
def test_a_filter_with_a_bad_value_is_refused(story: Recording, words: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        story.search(words)
    assert str(caught.value).startswith(why)


def test_a_run_is_named_by_part_of_its_id_title_or_note_or_as_last(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")  # which the tickets work in
    shop, garden = (recorder.start("a", title=title) for title in ("Shop 100%", "Garden"))
    for run in (shop, garden):
        recorder.play(run, "a", [*STORY[:8], e.TextDelta("still going, run:last-minute")])
    maintenance.annotate(recorder.path, garden, "the good one")
    for words, run in (
        (f"run:{shop} mend", shop),
        (f"run:{garden[-4:]} mend", garden),
        ("mend run:last", garden),
        ('run:last "run:last-minute"', garden),
        ("title:100%", shop),
        ('title:"good one" tokeniser', garden),
        ("title:garden going", garden),
    ):
        assert {hit.run for hit in recorder.search(words)} == {run}
    assert recorder.search("run:% mend") == []


def test_code_is_found_as_it_stands(story: Recording) -> None:
    assert matches(story.search("main()", code=True)) == [("tool_call", ["main()"])]
    assert matches(story.search("oken", code=True)) == [("reasoning", ["oken"])]
    assert matches(story.search("kind:prompt pars", code=True)) == [("prompt", ["pars"])]
    assert story.search("Main()", code=True) == story.search("\udcff", code=True) == []


def test_ranking_puts_the_best_first_and_reports_how_far_it_looked(
    recorder: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "word among very many others that have nothing to do with it"
    prompted(recorder, long, "word word word", "word or two")
    with closing(file.connect_to_read(recorder.path)) as db:
        result = search(db, "word", 9, ranked=True)
        assert ([hit.seq for hit in result.hits], result.is_partly_ranked) == ([4, 5, 3], False)
        monkeypatch.setattr("lfgtui.history.search.RANKED", 1)
        result = search(db, "word", 9, ranked=True)
        assert ([hit.seq for hit in result.hits], result.is_partly_ranked) == ([5], True)


def test_live_text_is_found(recorder: Recording) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*STORY[:4], e.TextDelta("half a sen"), e.TextDelta("tence")])
    (hit,) = recorder.search("sentence")
    assert (hit.kind, hit.seq, hit.ticket, hit.run) == ("text", 5, "a", run)
    assert recorder.search("sentence", ranked=True) == [hit]
    assert [h.seq for h in recorder.search("ticket:a half a sen", code=True)] == [5]
    assert [h.kind for h in recorder.search("mend OR sentence")] == ["text", "prompt"]
    assert recorder.search("mend OR sentence", 1) == [hit]
    recorder.play(run, "a", [e.ResponseFinished(1, "end")])
    assert [h.seq for h in recorder.search("sentence")] == [5]


@pytest.mark.parametrize("words", ["fox ", "(", "run:x "])
def test_a_query_of_thousands_of_words_is_refused(story: Recording, words: str) -> None:
    with pytest.raises(UsageError, match="the limit is 1,000"):
        story.search(words * 20_000)


def test_a_repeated_word_costs_once_and_the_open_one_stays_the_last(recorder: Recording) -> None:
    once = prompted(recorder, "f1x f2x f3x").search("f*")
    for repeated in ("f* " * 333, "f* F* " * 100):
        assert recorder.search(repeated) == recorder.search(repeated, ranked=True) == once
    for words in ("f o f", "one two one"):
        assert query.without_repeats(words) == words


@pytest.mark.parametrize("join", [" ", " OR "])
def test_many_words_are_all_marked_and_too_many_refused(recorder: Recording, join: str) -> None:
    words = [f"word{number}x" for number in range(64)]
    (hit,) = prompted(recorder, " ".join(words) + " and more" * 1000).search(join.join(words))
    assert [hit.snippet[start:end] for start, end in hit.matches][:2] == words[:2]
    with pytest.raises(UsageError, match="65 words; the limit is 64"):
        recorder.search(join.join([*words, "more"]))
