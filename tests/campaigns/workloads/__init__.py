"""The programs that the campaigns break; each runs in a process of its own."""
