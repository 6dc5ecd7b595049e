"""The file itself: its tables, who may open it, and the values in its columns."""
