"""The page to look at a memory, by an HTTP client and in a real browser."""
