"""The command line: reads arguments and files, starts things, prints.

`commands` lists the subcommands; the other modules hold one or a few of them each. What starts
a run, a screen or an event loop is in `launching`.
"""
