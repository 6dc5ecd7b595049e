"""Diagnosis: this machine's setup, and whether a provider streams.

Measuring (`examine`), meaning (`arrivals`, `proxies`, `diagnose`) and printing
(`cli.doctor`) are kept apart, so the meaning is a function of figures.
"""
