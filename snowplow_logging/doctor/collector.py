"""What a collector answers: health, redirects, its clock, the path of events, a test event."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urljoin, urlsplit

import requests

from snowplow_logging._http import MAX_REDIRECTS, _BasicAuth, _described, _may_follow, _new_session
from snowplow_logging.doctor import network
from snowplow_logging.doctor.findings import Findings, note, ok, problem
from snowplow_logging.doctor.probe import Sample, emitter_of, record, sample, short
from snowplow_logging.payload import POST_PATH, finished

if TYPE_CHECKING:
    from snowplow_logging._endpoint import Endpoint
    from snowplow_logging._transport import Answer
    from snowplow_logging.handler import SnowplowHandler

SKEW = 5.0  # seconds that two clocks may be apart
OK, MULTIPLE_CHOICES, NOT_FOUND = 200, 300, 404

WRONG_PATH = (
    "a collector takes two segments and no slash at the end: set endpoint to scheme and host "
    f"alone, and leave path out; events then go to /{POST_PATH}"
)


class Target(NamedTuple):
    """A collector, as a handler sends to it."""

    endpoint: Endpoint
    method: str
    session: requests.Session
    timeout: float

    @classmethod
    def of(cls, handler: SnowplowHandler, endpoint: Endpoint, timeout: float) -> Target:
        """Returns the collector at ``endpoint``, to which ``handler`` sends."""
        options = emitter_of(handler)._options  # noqa: SLF001 - of this package
        make_session = options["session"] or _new_session
        return cls(endpoint, options["method"], make_session(), timeout)

    def request(self, method: str, url: str) -> network.Reply:
        """Makes a request as the handler's transport does; follows nothing."""
        own = urlsplit(url)[:2] == urlsplit(self.endpoint.url)[:2]
        return network.ask(
            self.session,
            method,
            url,
            auth=_BasicAuth(self.endpoint.auth if own else None),
            timeout=self.timeout,
            allow_redirects=False,
        )


def own_parts(handler: SnowplowHandler) -> Findings[None]:
    """Says where the handler's way differs from the one that is examined."""
    options = emitter_of(handler)._options  # noqa: SLF001 - of this package
    if options["transport"] is not None:
        yield note("transport", "is the application's own; --send uses it, the other steps do not")
    elif options["session"] is not None:
        yield note("session", "is the application's own; it is used from /health on")


def examine(target: Target) -> Findings[bool]:
    """Asks the collector everything that leaves no event there; returns whether to send one."""
    if not (yield from network.examine(target.endpoint, target.method, target.timeout)):
        return False
    response = yield from _health(target, f"{target.endpoint.base}/health")
    if response is None:
        return False
    yield from _clock(response)
    yield from _path(target)
    return True


def _health(target: Target, url: str) -> Findings[network.Reply | None]:
    began = time.monotonic()
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = target.request("GET", url)
        except requests.RequestException as error:
            advice = "a proxy, a gateway or the collector ends the connection: see its logs"
            yield problem("health", f"no answer to GET {url} ({_described(error)})", advice)
            return None
        location = response.headers.get("Location")
        if location is None or not MULTIPLE_CHOICES <= response.status < 400:  # noqa: PLR2004
            milliseconds = (time.monotonic() - began) * 1000
            yield _of_health(response, f"{response.status} in {milliseconds:.0f} ms")
            return response
        onward = urljoin(url, location)
        if not _may_follow(url, onward):
            text = f"{response.status} from {url} to {onward}, which is not followed"
            yield problem("redirect", text, "set endpoint to where the collector really is")
            return None
        yield _of_redirect(response.status, url, onward)
        url = onward
    yield problem("redirect", f"more than {MAX_REDIRECTS} from {url}", "mend the redirects")
    return None


def _of_redirect(status: int, url: str, onward: str) -> Any:
    text = f"{status} from {url} to {onward}: each request is made twice"
    return note("redirect", text, f"set endpoint to {onward.removesuffix('/health')}")


def _of_health(response: network.Reply, text: str) -> Any:
    status = response.status
    if status == OK:
        return ok("health", text)
    if status == NOT_FOUND:
        advice = "a collector answers 200 at /health, unless a gateway hides it: is endpoint right?"
        return note("health", f"{text}: is this a collector?", advice)
    if status in (401, 403, 407):
        advice = "give user and password in endpoint (https://user:password@…), or a session"
        return problem("health", f"{text}: access is refused", advice)
    return problem("health", f"{text}: it is not well", "see the collector's logs")


def _clock(response: network.Reply) -> Findings[None]:
    ahead = network.skew(response.headers.get("Date"), time.time())
    if ahead is None:
        yield note("clock", "the answer has no Date to compare with")
    elif abs(ahead) <= SKEW:
        yield ok("clock", f"within {SKEW:g} s of the collector's")
    else:
        text = f"this machine's is {_duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'}"
        advice = (
            "set the one that is wrong by NTP (timedatectl set-ntp true): every event's "
            "dvce_created_tstamp and dvce_sent_tstamp would be off by that"
        )
        yield problem("clock", f"{text} the collector's", advice)


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _path(target: Target) -> Findings[None]:
    """Asks for the path of events by OPTIONS, which a collector answers and does not collect."""
    path = urlsplit(target.endpoint.url).path
    try:
        status = _options_status(target)
    except requests.RequestException as error:
        yield note("path", f"no answer to OPTIONS {path} ({_described(error)})", "try --send")
        return
    if status == NOT_FOUND:
        yield problem("path", f"404 for {path}: events would be dropped as rejected", WRONG_PATH)
    elif OK <= status < 400:  # noqa: PLR2004
        yield ok("path", f"{path} answers {status}")
    else:
        yield note("path", f"{status} for OPTIONS {path}, which says nothing of POST", "try --send")


def _options_status(target: Target) -> int:
    """Returns what OPTIONS is answered with, where redirects lead that were told of before."""
    url = target.endpoint.url
    response = target.request("OPTIONS", url)
    for _ in range(MAX_REDIRECTS):
        location = response.headers.get("Location")
        if response.status < MULTIPLE_CHOICES or location is None:
            break
        onward = urljoin(url, location)
        if not _may_follow(url, onward):
            break
        url = onward
        response = target.request("OPTIONS", url)
    return response.status


def send(handler: SnowplowHandler, target: Target) -> Findings[None]:
    """Sends one event that says that it is a test, and tells where to look for it."""
    sent = yield from send_test(handler, target.timeout)
    if sent is not None:
        status, test = sent
        eid = test.fields["eid"]
        yield ok("send", f"{status} for a {short(test.event.schema)} with event_id {eid}")
        yield from _arrived(target, eid)


def send_test(
    handler: SnowplowHandler, timeout: float
) -> Findings[tuple[int | None, Sample] | None]:
    """Sends one event that says that it is a test; returns it, if it was taken, with the status."""
    message = f"test event of snowplow-logging doctor {uuid.uuid4()}"
    test = sample(handler, record(message, test=True)) or sample(
        handler, record(message, error=True, test=True)
    )
    if test is None:
        text = "the handler makes no event of a record that names no schema"
        yield note("send", text, 'set "schema", or log one with extra={"schema": …}')
        return None
    answer = _answer(handler, test, timeout)
    if answer.error is not None:
        advice = WRONG_PATH if answer.status == NOT_FOUND else "see the steps above"
        yield problem("send", f"the test event was not taken: {answer.error}", advice)
        return None
    return answer.status, test


def _answer(handler: SnowplowHandler, test: Sample, timeout: float) -> Answer:
    transport = emitter_of(handler)._transport()  # noqa: SLF001 - the handler's own way
    try:
        return transport.send([(1, 0.0, finished(test.body, int(test.fields["dtm"])))], timeout)
    finally:
        transport.close()


def _arrived(target: Target, eid: str) -> Findings[None]:
    """Looks for the event in Micro (or the local collector), else tells where it will be."""
    deadline = time.monotonic() + target.timeout
    while True:
        good, bad = (_micro(target, kind) for kind in ("good", "bad"))
        if good is None or bad is None:
            text = f"in the warehouse, atomic.events with event_id = '{eid}'"
            advice = "not there after some minutes? Look for the id among the bad rows"
            yield note("look", text, advice)
            return
        if any(eid in str(event.get("event")) for event in good):
            yield ok("look", f"valid, says {target.endpoint.base}/micro/good")
            return
        for event in bad:
            if eid in str(event):
                yield problem("look", f"bad row: {_first(event.get('errors'))}", SEE_SCHEMAS)
                return
        if time.monotonic() > deadline:
            text = f"not at {target.endpoint.base}/micro within {target.timeout:g} s"
            yield problem("look", text, "see the collector's logs")
            return
        time.sleep(0.1)  # Micro takes events in after it has answered


SEE_SCHEMAS = "publish the schema in the registry that the collector uses; see the schemas below"


def _micro(target: Target, kind: str) -> list[dict[str, Any]] | None:
    """Returns Micro's events; None, if this is no Micro."""
    try:
        response = target.request("GET", f"{target.endpoint.base}/micro/{kind}")
        events = response.json() if response.status == OK else None
    except (requests.RequestException, ValueError):
        return None
    if not isinstance(events, list):
        return None
    return [event for event in cast("list[Any]", events) if isinstance(event, dict)]


def _first(errors: Any) -> str:
    return " ".join(str(errors[0]).split())[:200] if errors else "no reason given"
