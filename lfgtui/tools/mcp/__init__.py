"""Tools of MCP servers, which lfg starts as programs or reaches at an address."""
