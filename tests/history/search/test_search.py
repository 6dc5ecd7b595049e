from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfgtui.errors import UsageError
from lfgtui.history.maintenance import annotations
from lfgtui.history.reader import Reader
from lfgtui.history.search import query as queries
from lfgtui.history.search.query import MARKS, excerpt, unmark
from lfgtui.history.search.search import SearchHit, search
from lfgtui.history.storage import file
from lfgtui.model import events as e
from tests.history.conftest import Recorder

STORY: list[e.Event] = [
    e.TicketQueued(),
    e.AttemptStarted("simulator", "m"),
    e.UserMessage("please mend the parser"),
    e.RequestSent(1),
    e.ReasoningDelta("where is the tokeni"),
    e.Heartbeat(),
    e.ReasoningDelta("ser defined"),
    e.TextDelta("I shall loo"),
    e.Usage(1, 1),
    e.TextDelta("k at lexer"),
    e.TextDelta("\0s in Größe"),
    e.ToolCallStarted("c1", "write_file"),
    e.ToolArgumentsDelta("c1", '{"path":"src/lexer.py",'),
    e.ToolCallStarted("c2", "run_command"),
    e.ToolArgumentsDelta("c1", '"content":"import sys\\nmain(argv)"}'),
    e.ToolArgumentsDelta("c2", '{"command":"pytest"}'),
    e.ToolCallRequested("c1", "write_file", {"path": "lexer.py", "content": "import sys\nmain()"}),
    e.ToolCallRequested("c2", "run_command", {"command": "pytest", "env": [{"DEEP": "leaf"}, 7]}),
    e.ResponseFinished(1, "tool_use"),
    e.ToolOutputDelta("c2", "stdout", "collected fo"),
    e.ToolCallFinished("c1", "", "permission denied", None, 0.1),
    e.ToolOutputDelta("c2", "stdout", "ur items\n"),
    e.ToolOutputDelta("c2", "stderr", "deprecated\n"),
    e.ToolCallFinished("c2", "collected four items\ndeprecated", None, 0, 2.0),
    e.RequestSent(2),
    e.HostedTool("web_search", "weather in Oslo", ""),
    e.HostedTool("web_search", "weather in Oslo", "drizzle"),
    e.HostedTool("code", "print(1)", "", "h1"),
    e.HostedOutputDelta("h1", "streamed al"),
    e.HostedOutputDelta("h1", "ready"),
    e.HostedTool("code", "print(1)", "streamed already, then whole", "h1"),
    e.HostedTool("code", "print(2)", "", "h2"),
    e.HostedOutputDelta("h2", "unfini"),
    e.HostedOutputDelta("h2", "shed business"),
    e.TextDelta("this breaks off hal"),
    e.TextDelta("fway"),
    e.ToolCallStarted("c3", "run_command"),
    e.ToolArgumentsDelta("c3", '{"command": "ls\\nwho'),
    e.ToolArgumentsDelta("c3", "ami"),
    e.Retrying("upstream overload", 1.0, 2, "overloaded"),
    e.AttemptStarted("simulator", "m"),
    e.GuardTripped("loop", "the same call thrice"),
    e.TicketFailed("auth", "invalid x-api-key", False),
]


@pytest.fixture
def reader(recorder: Recorder) -> Iterator[Reader]:
    run = recorder.start("a")
    recorder.play(run, "a", STORY)
    with recorder.history.reader() as reader:
        yield reader


def found(hits: list[SearchHit]) -> list[tuple[str, list[str]]]:
    return [(hit.kind, [hit.snippet[start:end] for start, end in hit.matches]) for hit in hits]


@pytest.mark.parametrize(
    ("query", "kind", "match"),
    [
        ("mend", "prompt", "mend"),
        ("tokeniser", "reasoning", "tokeniser"),
        ("look", "text", "look"),
        ('"at lexer"', "text", "at lexer"),
        ("s AND grosse NOT mend OR größe", "text", "Größe"),
        ("grö*", "text", "Größe"),
        ("main", "tool_call", "main"),
        ("leaf", "tool_call", "leaf"),
        ("pytest", "tool_call", "pytest"),
        ("permission", "tool_output", "permission"),
        ("four", "tool_output", "four"),
        ("deprecated", "tool_output", "deprecated"),
        ("drizzle", "tool_output", "drizzle"),
        ("already", "tool_output", "already"),
        ("unfinished", "tool_output", "unfinished"),
        ("halfway", "text", "halfway"),
        ("whoami", "tool_call", "whoami"),
        ("overload", "error", "overload"),
        ("thrice", "error", "thrice"),
        ("x-api-key", "error", "x-api-key"),
        ("lexer.py", "tool_call", "lexer.py"),
    ],
)
def test_all_that_was_seen_is_found_once(reader: Reader, query: str, kind: str, match: str) -> None:
    assert found(reader.search(query)) == [(kind, [match])]


def test_a_hit_tells_where_it_is(reader: Reader) -> None:
    (hit,) = reader.search("halfway")
    entry = next(reader.whole_entries(hit.run, "a", first=hit.seq))
    assert hit.ticket == "a" and hit.attempt == entry.attempt and hit.at == entry.at
    assert isinstance(entry.event, e.TextDelta) and entry.event.text.startswith("this breaks")


def test_output_the_model_was_told_otherwise_is_found_both_ways(recorder: Recorder) -> None:
    run = recorder.start("a")
    begin = STORY[:4]
    call = e.ToolCallRequested("c", "run_command", {})
    live = e.ToolOutputDelta("c", "stdout", "alpha beta")
    told = e.ToolCallFinished("c", "alpha [cut] gamma", None, 0, 1.0)
    recorder.play(run, "a", [*begin, call, e.ResponseFinished(1, "tool_use"), live, told])
    with recorder.history.reader() as reader:
        assert found(reader.search("beta gamma")) == [("tool_output", ["beta", "gamma"])]


def test_output_of_a_tool_that_was_cut_off_is_found(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*STORY[:20], e.TicketCancelled()])
    with recorder.history.reader() as reader:
        assert found(reader.search("collected")) == [("tool_output", ["collected"])]


def test_hits_come_newest_first_up_to_the_limit(recorder: Recorder) -> None:
    run = recorder.start("a")
    messages = [e.UserMessage(f"same word {n}") for n in range(20)]
    recorder.play(run, "a", [*STORY[:2], *messages])
    with recorder.history.reader() as reader:
        assert [hit.seq for hit in reader.search("word", limit=3)] == [22, 21, 20]
        plan = reader._rows(
            "EXPLAIN QUERY PLAN SELECT rowid FROM segments_fts WHERE segments_fts MATCH 'word'"
            " ORDER BY rowid DESC LIMIT 3",
            (),
        )
        assert not any("TEMP B-TREE" in str(step) for step in plan)


def test_while_typing_the_last_word_may_be_unfinished(reader: Reader) -> None:
    assert found(reader.search("mend par", prefix=True)) == [("prompt", ["mend", "parser"])]
    assert found(reader.search("x-api-k", prefix=True)) == [("error", ["x-api-key"])]
    assert reader.search("mend par") == []


@pytest.mark.parametrize("query", ["", "  ", "*", ":", '"', "(", "AND", "^", "\0", "-", "+", "''"])
def test_a_query_of_no_words_finds_nothing(reader: Reader, query: str) -> None:
    assert reader.search(query) == []
    assert reader.search(query, prefix=True) == []


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ('"mend the', ["mend", "the"]),
        ("mend (parser", ["mend", "parser"]),
        ("mend; parser!", ["mend", "parser"]),
        ("prompt:mend", None),
        ("the-parser", ["the-parser"]),
        ("the-parser", None),
    ],
)
def test_what_is_no_query_is_searched_for_as_it_stands(
    recorder: Recorder, query: str, matches: list[str] | None
) -> None:
    run = recorder.start("a")
    prompt = "please mend the parser" if matches != ["the-parser"] else "mend the-parser"
    if matches is None:
        prompt = "nothing of it"
    recorder.play(run, "a", [*STORY[:2], e.UserMessage(prompt)])
    with recorder.history.reader() as reader:
        hits = found(reader.search(query))
    assert hits == ([] if matches is None else [("prompt", matches)])


def test_any_query_gives_a_list(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "any" / "history.db")
    run = recorder.start("a")
    recorder.play(run, "a", STORY)
    pieces = st.sampled_from(['"', "*", "(", ")", "AND", "OR", "NOT", "NEAR(", ":", "^", "+", "-"])
    words = st.sampled_from(["mend", "text", "rank", "segments_fts", "c++", "{a b}", "'", ","])
    query = st.lists(pieces | words | st.text(st.characters(), max_size=5), max_size=40).map(
        " ".join
    )

    with recorder.history.reader() as reader:

        @settings(max_examples=300, deadline=None)
        @given(query | st.text(st.characters()), st.booleans())
        def check(query: str, prefix: bool) -> None:
            for hit in reader.search(query, prefix=prefix):
                assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.matches)

        check()
        for long in ("mend " * 200, "(" * 999, "x" * 1000, "NEAR(" * 199, '"' * 999):
            reader.search(long)
    recorder.history.close()


unmarked = st.text(st.characters(exclude_characters=MARKS[0][0]), max_size=5)


@given(st.lists(st.tuples(unmarked, unmarked.filter(bool))))
def test_marks_become_offsets(pieces: list[tuple[str, str]]) -> None:
    opening, ending = MARKS
    marked = "".join(f"{plain}{opening}{match}{ending}" for plain, match in pieces)
    snippet, matches = unmark(marked)
    assert snippet == "".join(plain + match for plain, match in pieces)
    assert [snippet[start:end] for start, end in matches] == [match for _, match in pieces]


@given(st.text(st.characters(), max_size=600), st.data())
def test_an_excerpt_is_a_part_of_the_text_with_its_matches(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(text)), unique=True).map(sorted))
    matches = list(zip(places[::2], places[1::2], strict=False))
    snippet, shown = excerpt(text, matches)
    whole = [text[start:end] for start, end in matches]
    assert len(snippet) <= 202 and (snippet.removeprefix("…").removesuffix("…") in text)
    for start, end in shown:
        assert any(match.startswith(snippet[start:end]) for match in whole)
        assert 0 <= start < end <= len(snippet)
    assert bool(shown) == bool(matches)


def test_an_excerpt_shows_most_of_what_was_searched_for() -> None:
    text = "alpha " + "filler " * 100 + "then alpha and beta together " + "filler " * 100
    matches = [(0, 5)]
    matches += [
        (text.index(word, 10), text.index(word, 10) + len(word)) for word in ("alpha", "beta")
    ]
    snippet, shown = excerpt(text, matches)
    assert snippet.startswith("…") and snippet.endswith("filler…")
    assert [snippet[start:end] for start, end in shown] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("NEEDLE AND hay", {"hay", "needle"}),
        ('"needle_case"', {"needle", "case"}),
        ("need* NOT pin", {"needle"}),
    ],
)
def test_matches_in_a_very_long_text_are_shown_too(
    recorder: Recorder, query: str, shown: set[str]
) -> None:
    run = recorder.start("a")
    text = "hay " * 60_000 + "a needle_case " + "hay " * 60_000
    recorder.play(run, "a", [*STORY[:2], e.UserMessage(text)])
    with recorder.history.reader() as reader:
        (hit,) = reader.search(query)
    assert len(hit.snippet) <= 202
    assert {hit.snippet[start:end] for start, end in hit.matches} <= shown
    assert hit.matches


@pytest.mark.parametrize(
    ("query", "kinds"),
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
    ],
)
def test_filters_restrict_what_is_found(reader: Reader, query: str, kinds: list[str]) -> None:
    assert [hit.kind for hit in reader.search(query)] == kinds


def test_a_run_is_named_by_its_id_or_a_part_of_it(recorder: Recorder) -> None:
    runs = [recorder.start("a"), recorder.start("a")]
    for run in runs:
        recorder.play(run, "a", STORY[:4])
    with recorder.history.reader() as reader:
        for name in (runs[0], runs[0][-4:]):
            assert [hit.run for hit in reader.search(f"run:{name} mend")] == [runs[0]]
        assert reader.search("run:% mend") == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("state:faild x", 'state:faild: no such state; did you mean "failed"?'),
        ("kind:txt", 'kind:txt: no such kind; did you mean "text"?'),
        ("after:soon x", "after:soon: expected a date"),
        ("after:99999999999d x", "after:99999999999d: expected a date"),
    ],
)
def test_a_filter_that_means_nothing_says_so(reader: Reader, query: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        reader.search(query)
    assert str(caught.value).startswith(why)


def test_code_is_found_as_it_stands(reader: Reader) -> None:
    (hit,) = reader.search("main()", code=True)
    assert (hit.kind, [hit.snippet[a:b] for a, b in hit.matches]) == ("tool_call", ["main()"])
    assert [hit.kind for hit in reader.search("oken", code=True)] == ["reasoning"]
    assert reader.search("Main()", code=True) == []
    assert [hit.kind for hit in reader.search("kind:prompt pars", code=True)] == ["prompt"]


def test_ranked_the_best_comes_first_and_what_was_left_out_is_said(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorder.start("a")
    said = ["word among very many others that say nothing of it", "word word word", "word or two"]
    recorder.play(run, "a", [*STORY[:2], *(e.UserMessage(text) for text in said)])
    with recorder.history.reader() as reader:
        hits = reader.search("word", ranked=True)
        assert [hit.seq for hit in hits] == [4, 5, 3]
        assert not search(reader._connection, "word", 9, ranked=True).is_partly_ranked
        monkeypatch.setattr("lfgtui.history.search.search.RANKED", 1)
        found = search(reader._connection, "word", 9, ranked=True)
        assert [hit.seq for hit in found.hits] == [5] and found.is_partly_ranked


def test_what_is_still_being_said_is_found(recorder: Recorder) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [*STORY[:4], e.TextDelta("half a sen"), e.TextDelta("tence")])
    with recorder.history.reader() as reader:
        (hit,) = reader.search("sentence")
        assert (hit.kind, hit.seq, hit.ticket, hit.run) == ("text", 5, "a", run)
        assert reader.search("sentence", ranked=True) == [hit]
        assert [h.seq for h in reader.search("ticket:a half a sen", code=True)] == [5]
        assert [h.kind for h in reader.search("mend OR sentence")] == ["text", "prompt"]
        assert reader.search("mend OR sentence", 1) == [hit]
    recorder.play(run, "a", [e.ResponseFinished(1, "end")])
    with recorder.history.reader() as reader:
        assert [h.seq for h in reader.search("sentence")] == [5]


def test_bytes_that_are_no_text_find_nothing(reader: Reader) -> None:
    for code in (False, True):
        assert reader.search("\udcff ticket:\udcff", code=code) == []


@pytest.mark.parametrize(
    ("query", "is_literal"),
    [
        ("mend AND", True),
        ('"an open quote', True),
        ("(mend", True),
        ("c++ foo-bar", False),
        ("mend AND look", False),
        ("gro*", False),
    ],
)
@pytest.mark.parametrize("ranked", [False, True])
def test_a_query_that_is_none_is_said_to_be_none(
    recorder: Recorder, query: str, is_literal: bool, ranked: bool
) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", STORY)
    with closing(file.connect_to_read(recorder.path)) as connection:
        assert search(connection, query, 10, ranked=ranked).is_literal is is_literal


def test_the_last_run_may_be_called_that(recorder: Recorder) -> None:
    for _ in range(2):
        run = recorder.start("a")
        recorder.play(run, "a", STORY)
    with recorder.history.reader() as reader:
        assert [hit.run for hit in reader.search("halfway run:last")] == [run]


def test_a_run_is_found_by_its_title_and_by_the_note_beside_it(recorder: Recorder) -> None:
    runs = {name: recorder.start("a", title=name) for name in ("Shop 100%", "Garden")}
    for run in runs.values():
        recorder.play(run, "a", [*STORY[:8], e.TextDelta("still going")])
    annotations.annotate(recorder.path, runs["Garden"], "the good one")
    with recorder.history.reader() as reader:
        for query, name in (("title:100%", "Shop 100%"), ('title:"good one" tokeniser', "Garden")):
            assert {hit.run for hit in reader.search(query)} == {runs[name]}
        assert {hit.run for hit in reader.search("title:garden going")} == {runs["Garden"]}


QUERIES = {"words": "fox " * 25_000, "marks": "(" * 50_000, "filters": "run:x " * 20_000}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_query_of_thousands_of_words_is_refused(recorder: Recorder, query: str) -> None:
    with recorder.history.reader() as reader, pytest.raises(UsageError, match="the limit is 1,000"):
        reader.search(query)


@pytest.mark.parametrize(
    "query", ["fox " * 250, "(" * 500 + "fox" + ")" * 497, "fox\0", '"' * 999, "f* " * 333]
)
def test_a_query_of_any_shape_has_an_answer(recorder: Recorder, query: str) -> None:
    run = recorder.start("a")
    recorder.play(run, "a", [e.TicketQueued(), e.UserMessage("fox " * 20), e.TicketCancelled()])
    with recorder.history.reader() as reader:
        for ranked in (False, True):
            reader.search(query, ranked=ranked)


def test_a_word_that_is_repeated_costs_once(recorder: Recorder) -> None:
    run = recorder.start("a")
    said = " ".join(f"f{number}x" for number in range(2000))
    recorder.play(run, "a", [e.TicketQueued(), e.UserMessage(said), e.TicketCancelled()])
    with recorder.history.reader() as reader:
        once = reader.search("f*")
        assert [len(hit.matches) > 10 for hit in once] == [True]
        for repeated in ("f* " * 333, "f* F* " * 100):
            assert reader.search(repeated) == reader.search(repeated, ranked=True) == once
            assert len(queries.without_repeats(repeated).split()) <= 3
        assert reader.search("f* x " * 5) == []


@pytest.mark.parametrize("join", [" ", " OR "])
def test_many_words_are_marked_without_fts5_in_all_but_short_texts(
    recorder: Recorder, join: str
) -> None:
    words = [f"word{number}x" for number in range(64)]
    run = recorder.start("a")
    said = " ".join(words) + " and more" * 1000
    recorder.play(run, "a", [e.TicketQueued(), e.UserMessage(said), e.TicketCancelled()])
    with recorder.history.reader() as reader:
        (hit,) = reader.search(join.join(words))
        assert [hit.snippet[start:end] for start, end in hit.matches][:2] == words[:2]
        assert queries.longest_marked(join.join(words)) < len(said) < queries.LONG
        with pytest.raises(UsageError, match="65 words; the limit is 64"):
            reader.search(join.join([*words, "more"]))


@pytest.mark.parametrize("query", ["f o f", "one two one"])
def test_the_unfinished_word_stays_the_last(query: str) -> None:
    assert queries.without_repeats(query) == query
