"""Cells, rows and colours."""
