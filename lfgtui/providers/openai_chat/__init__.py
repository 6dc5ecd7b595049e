"""The OpenAI Chat Completions wire, and all that is compatible."""
