"""Notifications of an agent about its own work, as events."""
