"""A store for each tenant."""
