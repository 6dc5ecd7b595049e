"""Tools of MCP servers: of programs that lfg starts for a ticket, or of an address."""
