"""The file itself: its tables, its locks, and the values in its columns."""
