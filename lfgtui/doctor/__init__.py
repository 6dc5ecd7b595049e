"""Finding out why something does not work: this machine's set-up, and whether a provider streams.

What is measured (`examine`), what it means (`arrivals`, `proxies`, `diagnose`)
and how it is printed (`cli`) are kept apart, so the meaning is a function of figures.
"""
