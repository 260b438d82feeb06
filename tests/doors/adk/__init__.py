"""The memory service for Google's Agent Development Kit, with the kit itself."""
