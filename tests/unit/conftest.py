"""Settings of the unit tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Examples differ much in size, and machines in speed: neither says anything about the code.
settings.register_profile(
    "unit", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")
