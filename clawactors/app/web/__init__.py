"""The HTTP API and the dashboard: they read requests, call the client, and write its answers."""

__all__: list[str] = []
