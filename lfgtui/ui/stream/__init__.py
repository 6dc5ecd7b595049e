"""One pane's stream: a transcript's rows, with scrolling, selection and search."""
