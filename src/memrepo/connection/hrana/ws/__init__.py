"""Hrana over WebSockets, on libsql-client."""
