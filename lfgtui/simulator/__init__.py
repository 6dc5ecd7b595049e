"""A provider server of our own: real HTTP on loopback, no key, no network, no model.

It speaks the three wires as the real services do and plays agents from
scenario files, so that the whole of lfg (request, tools, files, history,
screen) can be run, tested and shown without anyone's account. What it says is
written beforehand; what its agents do is real.
"""
