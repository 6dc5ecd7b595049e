"""Limits from several places: which of them holds."""

from hypothesis import given
from hypothesis import strategies as st

from lfgtui.model.ticket_keys.run_limits import RUN_LIMITS, RunLimits, amount

limits = st.builds(
    RunLimits,
    max_run_cost=st.none() | st.floats(0.01, 1e6),
    max_run_tokens=st.none() | st.integers(1, 10**9),
    max_run_time=st.none() | st.floats(0.01, 1e9),
    at_limit=st.sampled_from([None, "stop", "hold", "ask"]),
)


@given(limits, limits)
def test_a_file_lowers_a_limit_of_the_config_and_never_raises_it(
    file: RunLimits, config: RunLimits
) -> None:
    both = file.within(config)
    for limit in RUN_LIMITS:
        known = [one for one in (file.of(limit), config.of(limit)) if one is not None]
        assert both.of(limit) == min(known, default=None)


@given(limits, limits)
def test_the_command_line_replaces_what_it_names(options: RunLimits, rest: RunLimits) -> None:
    both = options.over(rest)
    for limit in RUN_LIMITS:
        own = options.of(limit)
        assert both.of(limit) == (rest.of(limit) if own is None else own)


def test_amounts_are_in_the_units_of_the_header() -> None:
    assert amount("run_cost", 0.5) == "$0.50"
    assert amount("run_tokens", 12_400) == "12.4k tokens"
    assert amount("run_time", 3600) == "1:00:00"
