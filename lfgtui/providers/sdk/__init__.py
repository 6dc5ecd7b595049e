"""Providers whose requests an SDK sends."""
