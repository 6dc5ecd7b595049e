"""Tickets that workers on other machines do, over Redis Streams."""
