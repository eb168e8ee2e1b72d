"""Offers the service to assistants, as tools of the Model Context Protocol (MCP).

Does not handle: what a tool does, which the API of the service does, with its limits.
"""
