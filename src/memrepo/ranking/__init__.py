"""Which rows answer a question, and why: pure functions over words and rows; no database, no event loop."""
