"""Runs over HTTP: the answers of `lfg serve`. It owns no run, so it can end at any time."""
