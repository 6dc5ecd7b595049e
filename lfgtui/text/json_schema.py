"""JSON Schemas: whether one can be used, and the misfits of a value.

Nothing is fetched for a reference (`offline`), and patterns are matched in linear time, since
the value comes from a model. The library is an extra, as its wheel has 6 MB: it is imported when a
schema is made.
"""

from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING

from lfgtui.errors import LfgError, shortened

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_MOST = 5
"""Misfits that are listed."""

_LONGEST = 200
"""Most characters of each in the list."""

_MANY = 20_000
"""In a value whose JSON has more characters only the first misfit is looked for, to save time."""


class SchemaError(LfgError):
    """A schema that cannot be used."""


class JsonSchema:
    """A schema, ready to check values. Raises `SchemaError` if it cannot be used."""

    def __init__(self, schema: object) -> None:
        if find_spec("jsonschema_rs") is None:
            raise SchemaError("checking answers needs: pip install 'lfgtui[schema]'")
        from jsonschema_rs import RegexOptions, ValidationError, validator_for  # an extra

        self._misfit = ValidationError
        if not isinstance(schema, dict | bool):
            raise SchemaError("a schema is a JSON object, or true or false")
        try:
            self._validator = validator_for(
                schema, offline=True, pattern_options=RegexOptions(), validate_formats=True
            )
        except ValueError as error:
            raise SchemaError(_clipped(str(error).split("\n", 1)[0])) from None

    def misfits(self, value: object, size: int) -> list[str]:
        """Return what does not fit, and where; `size` is the length of the value's JSON."""
        try:
            if size > _MANY:
                self._validator.validate(value)
                return []
            return [_in_words(error) for error in islice(self._validator.iter_errors(value), _MOST)]
        except self._misfit as error:
            return [_in_words(error)]
        except ValueError as error:  # it is nested too deeply
            return [_clipped(str(error))]


def _in_words(error: "ValidationError") -> str:
    """Return an error with its place: `at /items/0: ...`."""
    place = "/".join(map(str, error.instance_path))
    return _clipped(f"at /{place}: {error.message}" if place else error.message)


def _clipped(text: str) -> str:
    """Return the text on one line of at most `_LONGEST` characters."""
    return shortened(" ".join(text.split()), _LONGEST)
