"""The MCP server, with the protocol's own client and with another."""
