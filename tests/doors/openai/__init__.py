"""The session of the OpenAI Agents SDK, with the SDK itself."""
