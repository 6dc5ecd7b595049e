"""A simulated provider: a real HTTP server on loopback, without key, network or model.

It speaks the three wires as the real services do and plays agents from
scenario files, so that all of lfg (requests, tools, files, history, screen)
can be run, tested and shown without an account. The answers are scripted; the
tools that they call do real work.

`server` answers requests; `wires` read and write each API's form; `scenario` and
`playback` say what is answered, `player` when. `local` runs a real model instead.
`demo/workspace` is the project that the demo's agents repair: its bugs are meant to
be there, and the scenarios refer to its lines.
"""
