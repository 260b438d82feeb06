"""The three repositories."""
