"""JSON Schemas: whether one can be used, and what of a value does not fit.

Nothing is fetched for a reference (`offline`), and patterns are matched in linear time, since
the value is a model's. The library is an extra: its wheel has 6 MB.
"""

from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING

from lfgtui.errors import LfgError, shortened

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_MOST = 5
"""Misfits that are told."""

_LONGEST = 200
"""Characters of each."""

_MANY = 20_000
"""Characters of JSON from which on only the first misfit is looked for: to list all takes long."""


class SchemaError(LfgError):
    """A schema that cannot be used."""


class JsonSchema:
    """A schema, ready to check values. Raises `SchemaError` if it is none."""

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
            return [_told(error) for error in islice(self._validator.iter_errors(value), _MOST)]
        except self._misfit as error:
            return [_told(error)]
        except ValueError as error:  # it is nested too deeply
            return [_clipped(str(error))]


def _told(error: "ValidationError") -> str:
    place = "/".join(map(str, error.instance_path))
    return _clipped(f"at /{place}: {error.message}" if place else error.message)


def _clipped(text: str) -> str:
    return shortened(" ".join(text.split()), _LONGEST)
