"""Maintenance of the history file: annotations, deletion, housekeeping and recovery.

Nothing here is done by itself, except for the deletion of old runs where the
config asks for it. Each function takes the file's write lock only while it
writes, so runs in progress wait for a moment and lose nothing.
"""
