"""The schema and its migrations, adoption, checks and backups."""
