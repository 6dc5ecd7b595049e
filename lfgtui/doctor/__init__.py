"""Diagnosis: this machine's setup, and whether a provider streams.

Measuring (`examine`, `handshake`), judging (`arrivals`, `proxies`, `diagnose`,
`agents`) and printing (`cli.doctor`) are separate, so that judging is without I/O.
`machine`, `servers` and `lfg_server` do both. All give `findings.Finding`.
"""
