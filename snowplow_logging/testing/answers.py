"""What a request gets for an answer, well or badly.

The law: nothing here touches a socket or a clock; an answer is a plan that others carry out.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Answer:
    """What one request gets.

    Args:
        status: The HTTP status.
        headers: Its headers, beside ``Content-Length``.
        body: Its body.
        fault: What goes wrong: ``hang`` (silence until ``release``, then the connection ends),
            ``reset`` (the connection is reset before the status line), ``reset_midway`` (or
            between head and body), ``garbage`` (something that is no HTTP).
        delay: Seconds before the status line.
        drip: Seconds between two bytes of the answer.
        hang_up: Whether the connection is closed after the answer, without announcement, as
            load balancers do with idle ones.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"ok"
    fault: Literal["hang", "reset", "reset_midway", "garbage"] | None = None
    delay: float = 0.0
    drip: float = 0.0
    hang_up: bool = False

    @property
    def accepts(self) -> bool:
        """Whether it tells the sender that the events were taken."""
        if self.fault not in (None, "reset_midway"):
            return False
        return self.status // 100 == 2 or (self.status // 100 == 3 and not self.headers)  # noqa: PLR2004 - the classes of HTTP

    def saying(self, other: Answer) -> Answer:
        """Returns the answer that says what ``other`` says, and goes wrong as this one does."""
        return replace(self, status=other.status, headers=other.headers, body=other.body)


OK = Answer()
HANG = Answer(fault="hang")
RESET = Answer(fault="reset")
RESET_MIDWAY = Answer(fault="reset_midway")
GARBAGE = Answer(fault="garbage")


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Args:
        method: Its method.
        target: Path and query.
        headers: Its headers, by names in lower case.
        body: Its raw body.
        at: When it came, in seconds of the monotonic clock.
        connection: The client's port, which is the same for requests on one connection.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @cached_property
    def events(self) -> list[dict[str, str]]:
        """What it carries, as fields of the tracker protocol; nothing where it carries none."""
        if not self.body:
            fields = dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))
            return [fields] if "eid" in fields else []
        try:
            events: list[dict[str, str]] = json.loads(self.body)["data"]
            return [{**event} for event in events]
        except (ValueError, KeyError, TypeError):
            return []

    @property
    def asks(self) -> bool:
        """Whether it asks a collector something, and brings no events."""
        question = f"{self.path}/".startswith(("/micro/", "/health/"))
        return question or self.method not in ("GET", "POST")


AnswerLike: TypeAlias = "int | Answer"
"""An answer, or the status of one."""
Rule: TypeAlias = "AnswerLike | Callable[[Request], AnswerLike]"
"""An answer, or a function that makes one from the request."""


def answer_to(request: Request, rule: Rule) -> Answer:
    """Returns the answer to ``request`` by ``rule``."""
    given = rule(request) if callable(rule) else rule
    return Answer(given) if isinstance(given, int) else given


def redirect(location: str | None, status: int = 308) -> Answer:
    """Returns a redirect to ``location``; None: to nowhere."""
    return Answer(status, {} if location is None else {"Location": location})


def at_most(size: int) -> Rule:
    """Returns the rule that takes bodies of up to ``size`` bytes, and answers 413 to others."""
    return lambda request: 413 if len(request.body) > size else OK


def sometimes(
    probability: float, answer: AnswerLike = 503, *, seed: int | None = None
) -> Callable[[Request], AnswerLike]:
    """Returns the rule that gives ``answer`` at random, and else is well.

    Args:
        probability: Of ``answer``, from 0 to 1.
        answer: What goes wrong.
        seed: Makes the same choices each time; None: others each time.
    """
    draw = random.Random(seed).random  # noqa: S311 - not a secret
    return lambda _: answer if draw() < probability else OK
