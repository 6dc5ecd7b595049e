"""The history: one local SQLite file that any number of processes read and write."""
