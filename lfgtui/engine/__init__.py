"""The engine: when work starts and stops, and the one way its events take."""

from lfgtui.engine.engine import Engine
from lfgtui.engine.journal import Journal

__all__ = ["Engine", "Journal"]
