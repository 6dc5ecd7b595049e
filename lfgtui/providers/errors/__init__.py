"""Errors of SDKs, libraries and servers, mapped to one type."""
