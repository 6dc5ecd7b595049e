"""Text as the screen shows it: widths in cells, rows that fit, strips, colours of code."""
