"""Access to runs from outside their process: over their sockets, ssh, HTTP and Redis."""
