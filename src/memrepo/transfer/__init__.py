"""Copy rows between databases."""
