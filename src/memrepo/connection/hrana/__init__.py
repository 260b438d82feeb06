"""The server engine: libSQL servers, by their protocol Hrana."""
