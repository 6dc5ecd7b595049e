"""Providers: a request in, events out."""
