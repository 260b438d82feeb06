"""Real libSQL servers for the tests: found, started, frozen, killed, and stopped again."""
