"""Moving rows between databases."""
