"""Child processes, each under a supervisor that ends it with all that it started.

`supervised` starts a supervisor (`supervisor`, a program of its own); `child` and `tools.command`
build on it.
"""
