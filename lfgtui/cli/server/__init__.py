"""Commands over `lfgtui/server`: watch runs from outside (attach, relay, serve), or work for them
(worker)."""
