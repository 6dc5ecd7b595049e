"""Agents on this machine, through the Agent Client Protocol."""
