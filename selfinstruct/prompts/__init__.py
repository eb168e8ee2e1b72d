"""Batches -> the chat messages that a model reads; pure."""
