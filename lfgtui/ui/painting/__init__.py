"""Painting frames with one update of the screen."""
