"""Runs as OpenTelemetry traces: `spans` makes them, `encoding` writes them, `collector` sends."""
