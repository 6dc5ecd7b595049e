"""Runs reached from outside their process: through sockets, pipes and other machines."""
