"""The agent: ask the model, run what it asks for, until it is done."""

from lfgtui.agent.loop import Agent, Decision, Desk

__all__ = ["Agent", "Decision", "Desk"]
