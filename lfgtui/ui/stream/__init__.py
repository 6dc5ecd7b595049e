"""One pane's stream: rows, scrolling, selection, search."""
