"""The vocabulary: events, tickets, states, the fold. No input or output."""
