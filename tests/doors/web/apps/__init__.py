"""What takes the place of the recipes, or adds to them, for a test: on the path of its server."""
