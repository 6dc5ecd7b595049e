"""What an agent tells of itself, as events."""
