"""Bytes to and from the terminal."""
