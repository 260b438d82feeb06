"""The conversation store for Pydantic AI, with Pydantic AI itself."""
