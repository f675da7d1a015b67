"""One run of the demo, from the first line on the terminal to the last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from snowplow_logging.demo import server, traffic
from snowplow_logging.demo.logs import ShopLogs
from snowplow_logging.demo.outcome import Outcome
from snowplow_logging.demo.shop import ORDER_PLACED, Shop

if TYPE_CHECKING:
    from snowplow_logging.demo.arrivals import Arrival
    from snowplow_logging.demo.screen import Screen
    from snowplow_logging.demo.targets import Target

ORDER_CALL = f"""\
  logger.info("order %s placed", number, extra={{
      "schema": "{ORDER_PLACED}",
      "data": {{"order_id": number, "sku": sku, ...}},
      "contexts": [customer],
  }})"""
ENTRY = """\
  "snowplow": {
      "class": "snowplow_logging.SnowplowHandler",
      "endpoint": "https://collector.acme.com",
      "app_id": "checkout",
  }"""


def play(screen: Screen, target: Target, requests: int, *, serve: bool = False) -> Outcome:
    """Plays the demo, and shows and returns what it came to.

    Args:
        screen: Where it is shown.
        target: The collector.
        requests: How many requests the shop gets.
        serve: Whether the collector's page will stay.

    Raises:
        ValueError: The handler does not take an option of the environment.
    """
    screen.say("A web shop logs as ever, and its log records become Snowplow events.", "bold")
    screen.say()
    logs = ShopLogs(target.endpoint)
    with logs.installed() as handler:
        answers = _shop(screen, target, requests)
        with screen.waiting("delivering the last events"):
            handler.close()
    arrivals, judged = target.arrivals(logs.delivered)
    outcome = Outcome(logs.logged, handler.stats(), arrivals, judged, answers)
    screen.facts(
        Answers=_described(answers),
        Console=f"{len(logs.console.getvalue().splitlines())} lines, not shown here",
    )
    _show(screen, outcome, logs.console.getvalue())
    _end(screen, target, outcome, serve=serve)
    return outcome


def _shop(screen: Screen, target: Target, requests: int) -> Counter[int | None]:
    """Opens the shop, serves all customers and closes it; returns the answers they got."""
    answers: Counter[int | None] = Counter()
    with server.serving(Shop()) as address:
        host, port = address
        screen.facts(
            Shop=f"http://{host}:{port} (a WSGI application with a dictConfig)",
            Collector=target.address,
            Customers=f"{requests} requests, up to {traffic.CLIENTS} at a time",
        )
        with screen.progress("requests", requests) as advance:
            for status in traffic.send(address, traffic.plan(requests)):
                answers[status] += 1
                advance()
    return answers


def _described(answers: Counter[int | None]) -> str:
    """Returns the number of answers by status: ``200: 157, 404: 9``."""
    known = sorted((status, count) for status, count in answers.items() if status is not None)
    return ", ".join(f"{status}: {count}" for status, count in known)


def _show(screen: Screen, outcome: Outcome, console: str) -> None:
    if not outcome.arrivals:
        return
    example = _example(outcome)
    screen.title("One record and its event")
    if example.schema == ORDER_PLACED:
        screen.say("In the shop's code, an ordinary call:")
        screen.say(ORDER_CALL, "cyan")
    if (line := _console_line(example, console)) is not None:
        screen.say("On the shop's console, as ever:")
        screen.say(f"  {line}", "cyan")
    screen.say("At the collector, an event (fields that are null are left out):")
    screen.event(example)
    screen.title("All that arrived" if outcome.judged else "All that was sent")
    screen.table(outcome)


def _example(outcome: Outcome) -> Arrival:
    """Returns the event that shows most: a valid order, if there is one."""
    return max(outcome.arrivals, key=lambda each: (each.schema == ORDER_PLACED, bool(each.good)))


def _console_line(arrival: Arrival, console: str) -> str | None:
    if arrival.identity is None:
        return None
    ending = f" {arrival.identity.logger}: {arrival.identity.message}"
    return next((line for line in console.splitlines() if line.endswith(ending)), None)


def _end(screen: Screen, target: Target, outcome: Outcome, *, serve: bool) -> None:
    problems = outcome.problems()
    if not problems:
        screen.title('In your application: one more entry among the "handlers" of its dictConfig')
        screen.say(ENTRY, "cyan")
    screen.say()
    screen.problems(problems)
    if problems and (advice := target.advice(outcome)):
        screen.say(advice)
    if target.page is not None:
        note = "until Ctrl-C" if serve else "it stays with --serve"
        screen.say(f"Page: {target.page}" + ("" if target.stays else f" ({note})"))
    screen.say(outcome.summary(), "bold red" if problems else "bold green")
