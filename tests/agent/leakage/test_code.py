"""Code is recognised, so that documentation about tags is left alone."""

import pytest

from tests.agent.leakage.filtering import Filtered, outcome

LEAK = "<think>x</think>"


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{LEAK}\n```\n",
        f"```xml\n{LEAK}\n\n{LEAK}",  # never closed
        f"~~~\n{LEAK}\n```\n{LEAK}\n~~~\n",
        f"````\n```\n{LEAK}\n```\n{LEAK}\n````\n",
        f"   ```\n{LEAK}\n   ```\n",
        f"```\n    ```\n{LEAK}\n```\n",  # indented by four it closes nothing
        f"``` \n{LEAK}\n```` \n",
        f"- item\n\n  ```\n{LEAK}\n  ```\n",
        f"1. ```\n   {LEAK}\n   ```\n",
        f"> ```\n> {LEAK}\n> ```\n",
        f"> - ~~~\n>   {LEAK}\n",
        f"It is `{LEAK}`.",
        f"`` a ` {LEAK} ``",
        f"a `span\n{LEAK}\nof lines` b",
        f"```not a fence {LEAK}``` but a span",
        f"```\ncode\n``` no end\n{LEAK}\n```\n",
        f"```\n- ```\n{LEAK}\n```\n",
    ],
)
def test_code_stays(text: str) -> None:
    assert outcome(text) == Filtered(text)


@pytest.mark.parametrize(
    "before",
    [
        "```\ncode\n```\n",
        "~~~\ncode\n~~~~~   \n",
        "> ```\n> code\n",  # the fence ends with its quote
        "a `span` b\n",
        "a lone ` here\n\n",
        "an \\` escaped one\n",
        "``` a `b` c\n\n",
        "~~ struck ~~\n",
        "```\ncode\n   ```\n",
        "- ```\n  code\n  ```\n",
        "`` ` ``\n",
        "```span```\n",
    ],
)
def test_what_follows_code_does_not(before: str) -> None:
    assert outcome(f"{before}{LEAK}") == Filtered(before, "x")
