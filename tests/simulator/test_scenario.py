"""Scenario files: what is refused, and that those which ship are sound."""

from pathlib import Path

import pytest

from lfgtui.errors import SourceError
from lfgtui.simulator.scenario import bundled_scenarios, load_scenario


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "at least one [[turn]]"),
        ('[[turn]]\ntxt = "x"', 2, 'unknown key "txt"; did you mean "text"?'),
        ("[[turn]]\nrate = 3", 1, "a turn needs text"),
        ('[[turn]]\ntext = "x"\nrate = 0', 3, "`rate`: expected `float` > 0.0"),
        ('jitter = 2\n[[turn]]\ntext = "x"', 1, "`jitter`: expected `float` <= 1.0"),
        ('[[turn]]\n[[turn.call]]\nname = "f"', 1, "the last turn calls tools"),
        ('[[turn]]\ntext = "x"\n[[follow_up]]\nrate = 3', 3, "a turn needs text"),
        ('[[turn]]\ntext = "x"\n[[when_told]]\nwords = []', 4, "`words`"),
        (
            '[[turn]]\ntext = "x"\n[[when_told]]\nwords = ["y"]\n[[when_told.turn]]\nrate = 3',
            5,
            "a turn needs text",
        ),
        ('[[turn]]\ntext = "x"\nsplit = "word"', 3, 'unknown value "word"'),
        ('[[turn]]\ntext = "x"\nfault = [{ status = 404 }]', 3, "404"),
        ('[[turn]]\ntext = "x', 2, "not valid TOML"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SourceError) as caught:
        load_scenario(path)
    assert caught.value.line == line
    assert message in caught.value.message


def test_the_bundled_scenarios_are_those_of_the_demo_and_the_examples() -> None:
    assert set(bundled_scenarios()) == {
        "api-docs",
        "audit",
        "changelog",
        "migrate",
        "ports-api",
        "ports-docs",
        "ports-watch",
        "pricing",
        "readme",
    }
