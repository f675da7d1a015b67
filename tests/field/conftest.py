"""The fixtures of the delivery tests: the hurts are felt on the same wire."""

from tests.delivery.conftest import (
    _no_options_in_environment,
    collector,
    make_collector,
    restored_logging,
)

__all__ = ["_no_options_in_environment", "collector", "make_collector", "restored_logging"]
