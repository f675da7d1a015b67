"""Delivery: what reaches a collector over a real network that misbehaves."""
