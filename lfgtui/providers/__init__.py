"""Providers: a request in, events out. `base` has the interface, `registry` opens them by name."""
