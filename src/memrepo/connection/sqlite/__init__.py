"""The embedded engine: SQLite on worker threads, through aiosqlite."""
