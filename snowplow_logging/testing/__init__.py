"""Doubles for tests of what sends events: faults on command, and assertions on what arrived.

Nothing here needs pytest or an extra; the pytest plugin gives it to tests as fixtures.
"""

from snowplow_logging.testing.answers import (
    GARBAGE,
    HANG,
    OK,
    RESET,
    RESET_MIDWAY,
    Answer,
    AnswerLike,
    Request,
    Rule,
    at_most,
    redirect,
    sometimes,
)
from snowplow_logging.testing.collector import SnowplowCollector
from snowplow_logging.testing.events import Event, Events
from snowplow_logging.testing.faulty_collector import FaultyCollector, closed_port

__all__ = [
    "GARBAGE",
    "HANG",
    "OK",
    "RESET",
    "RESET_MIDWAY",
    "Answer",
    "AnswerLike",
    "Event",
    "Events",
    "FaultyCollector",
    "Request",
    "Rule",
    "SnowplowCollector",
    "at_most",
    "closed_port",
    "redirect",
    "sometimes",
]
