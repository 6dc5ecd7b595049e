"""The screen; it alone knows Textual."""
