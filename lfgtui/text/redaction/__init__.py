"""Secrets found in text, however a stream cuts it."""
