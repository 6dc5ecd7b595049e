"""The parts of a screen: header, panes, their grid, tables of tickets, footer, lists."""
