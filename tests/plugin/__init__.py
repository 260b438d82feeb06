"""The pytest plugin, as its users run it: in processes of their own."""
