"""A simulated provider: a real HTTP server on loopback, without key, network or model.

It speaks the three wires as the real services do and plays agents from
scenario files, so that all of lfg (requests, tools, files, history, screen)
can be run, tested and shown without an account. The answers are scripted; the
tools that they call do real work.
"""
