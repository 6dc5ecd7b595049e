"""Past runs for use outside lfg: documents, JSON, OpenTelemetry spans, webhooks.

`figures.RunDocument` reads a stored run; `html`, `markdown`, `terminal`, `record` and `otlp` write
it. `outbox` and `webhook` send ended runs to the addresses of `on_end`.
"""
