"""The Redis transport and the relay, against a real redis-server."""
