"""The command line: reads arguments and files, starts things, prints."""
