"""How often a property is tried: a little in every run of the tests, far more in `make fuzz`."""

from hypothesis import settings


def times(count: int) -> int:
    """So often, or as much more often as hypothesis makes more examples than it does by itself."""
    return count * settings().max_examples // 100
