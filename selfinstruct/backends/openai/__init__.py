"""Models behind OpenAI-compatible endpoints: requests, pacing, retries, budgets, and what replies mean."""
