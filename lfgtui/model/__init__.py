"""The vocabulary: events, tickets, states, the fold. Only `tickets_file` reads files."""
