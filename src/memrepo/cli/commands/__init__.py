"""The commands that need click."""
