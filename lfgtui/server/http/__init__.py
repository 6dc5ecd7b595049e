"""Runs over HTTP: what `lfg serve` answers. It owns none of them, so it can end at any time."""
