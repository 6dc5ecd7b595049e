"""The fold: from events to what a ticket looks like, its conversation, its state and its gauges."""
