"""The history file itself: its tables, its locks, and the values in its columns.

`file` opens it, `migrations` has its schema, `batch` is what is committed, `entries`, `packing`,
`segments` and `runs` are its contents, `leases` tell which process writes a run.
"""
