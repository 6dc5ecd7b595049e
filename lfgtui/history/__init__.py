"""The history: one local SQLite file that any number of processes read and write.

`recording` writes runs while they happen, `reader` reads them, `search` and `query` find texts,
`deletion` and `maintenance` keep the file in order, `storage` has the file's format and locks.
"""
