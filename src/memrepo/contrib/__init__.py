"""Adapters to other packages; each needs an extra."""
