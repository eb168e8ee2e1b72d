"""What writes rows: the embedded imitator, and models behind OpenAI-compatible endpoints."""
