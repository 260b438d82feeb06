"""Values and rules, pure: no asyncio, no database."""
