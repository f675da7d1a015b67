"""Tests of redaction: what is a secret, what only looks like one, and what it costs."""

from __future__ import annotations

import copy
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowplow_logging._json import encode
from snowplow_logging._options import resolve
from snowplow_logging.redaction import RULES, Redactor
from tests.unit import hostile
from tests.unit.secrets_corpus import LOOK_ALIKES, PLANTED, Planted

if TYPE_CHECKING:
    from collections.abc import Callable

every_text = st.text(st.characters(exclude_categories=()), max_size=60)
tricky_text = st.lists(
    st.sampled_from(
        [
            *("password", "token", "api_key", "Cookie", "Authorization", "Bearer", "://u:p@"),
            *("[redacted: ", "4111111111111111", "--", "%s", "a", "b2"),
            *"=:\"'\\\n{}[]()<>&;,* ",
        ]
    ),
    max_size=12,
).map("".join)


def redactor(said: object) -> Redactor | None:
    """Returns what the option makes of what was said."""
    found: Redactor | None = resolve({"redact": said}, ["redact"])["redact"]
    return found


def left_by(redacting: Redactor, case: Planted) -> str:
    """Returns all that leaves of a planted case."""
    if case.kind == "text":
        return redacting.text(case.given)
    if case.kind == "value":
        return encode(redacting.value(case.given)).decode()
    message, arguments = case.given
    return redacting.text(message % redacting.arguments(message, arguments))


def test_the_corpus_is_large_enough() -> None:
    """The corpus holds what it is to show: 200 of each, and each secret is really in its case."""
    assert len(PLANTED) >= 200
    assert len(LOOK_ALIKES) >= 200
    nothing = Redactor(without=RULES)
    for case in PLANTED:
        message = left_by(nothing, case)
        assert case.secret in message or json.dumps(case.secret)[1:-1] in message, case.name


def test_no_planted_secret_is_left() -> None:
    """Of all planted secrets none leaves, and where each was, a marker says so."""
    redacting = Redactor()
    left = {case.name: left_by(redacting, case) for case in PLANTED}

    assert {name: said for name, said in left.items() if "hunter2" in said} == {}
    assert {case.name: left[case.name] for case in PLANTED if case.secret in left[case.name]} == {}
    assert [name for name, said in left.items() if "[redacted: " not in said] == []


def test_every_look_alike_stays() -> None:
    """What only looks like a secret comes out as it went in: the same object."""
    redacting = Redactor()
    changed: list[tuple[object, object]] = []
    for kind, value in LOOK_ALIKES:
        result = redacting.text(value) if kind == "text" else redacting.value(value)
        if result is not value:
            changed.append((value, result))

    assert changed == []


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("password=hunter2 for ann", "password=[redacted: password] for ann"),
        ("Authorization: Bearer abc.12 sent", "Authorization: [redacted: authorization] sent"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted: cookie]\nHost: x"),
        ("/?token=abc&page=2", "/?token=[redacted: token]&page=2"),
        ("/?sig=abc&page=2", "/?sig=[redacted: signature]&page=2"),
        ("redis://:pw@cache:6379/0", "redis://[redacted: url]@cache:6379/0"),
        ("Server=x;Password=P;w=1;Db=2", "Server=x;Password=[redacted: password];w=1;Db=2"),
        ("17 4111 1111 1111 1111 12/27", "17 [redacted: card] 12/27"),
        ("api key: abc123.", "api key: [redacted: api_key]"),
        ('{"auth": ["ann", "pw"], "n": 1}', '{"auth": [redacted: authorization], "n": 1}'),
    ],
)
def test_a_marker_names_the_rule(given_text: str, expected: str) -> None:
    """Only the secret is replaced; what is around it stays readable."""
    assert Redactor().text(given_text) == expected


def test_what_no_event_can_hold_is_not_looked_at() -> None:
    """Of a text without end the beginning is redacted, and the rest is cut off."""
    begun = time.process_time()
    value = Redactor().value({"body": "password=x " * 2_000_000, "token": "abc"})

    assert value["token"] == "[redacted: token]"  # noqa: S105 - a marker
    assert value["body"].startswith("password=[redacted: password] " * 100)
    assert value["body"].endswith("…[cut]")
    assert "=x" not in value["body"]
    assert time.process_time() - begun < 10  # all of it would take a minute


def test_values_keep_their_shape() -> None:
    """Only what is a secret changes, and never in what was given."""
    given_value = {"user": "ann", "db": {"password": "x", "port": 1}, "list": [{"token": 5}, "ok"]}
    before = copy.deepcopy(given_value)

    assert Redactor().value(given_value) == {
        "user": "ann",
        "db": {"password": "[redacted: password]", "port": 1},
        "list": [{"token": "[redacted: token]"}, "ok"],
    }
    assert given_value == before


def test_secrets_as_keys_stay_apart() -> None:
    """Two keys that are secrets do not become one member."""
    cards = {"4111111111111111": "a", "5555555555554444": "b"}

    assert Redactor().value(cards) == {"[redacted: card]": "a", "[redacted: card]'": "b"}


@pytest.mark.parametrize("number", [4111111111111111, 378282246310005])
def test_card_numbers_that_are_numbers(number: int) -> None:
    """A card number is one as an integer, too."""
    assert Redactor().value({"n": [number]}) == {"n": ["[redacted: card]"]}


@pytest.mark.parametrize(("sign", "digits"), [(1, 20), (1, 10_000), (-1, 10_000)])
def test_numbers_too_large_for_cards(sign: int, digits: int) -> None:
    """They stay, even those that Python will not print."""
    value = {"n": [sign * 10**digits]}

    assert Redactor().value(value) is value


@given(every_text | tricky_text)
def test_redaction_is_done_once(said: str) -> None:
    """What was redacted stays as it is when it is redacted again, in a text and in a value."""
    redacting = Redactor()
    once = redacting.text(said)

    assert redacting.text(once) == once
    assert redacting.value({"a": said}) == {"a": once}


@given(hostile.anything)
def test_any_value_survives(example: Any) -> None:
    """Whatever a record holds, redaction does not raise, and its result can be encoded."""
    for redacting in (Redactor(), Redactor(functions=[lambda _key, value: value])):
        json.loads(encode(redacting.value({"value": hostile.realised(example)})))


@pytest.mark.parametrize("name", hostile.NAMES)
def test_hostile_values_survive(name: str) -> None:
    """The values that do their worst do it to no event: as value, in a list, as argument."""
    redacting = Redactor(functions=[lambda _key, value: value])
    value = hostile.values()[name]

    assert redacting.value({"password": value}) in (
        {"password": "[redacted: password]"},
        {"password": encode_again(value)},
    )
    json.loads(encode(redacting.value([value, {"a": value}])))
    redacting.arguments("password=%s %s", (value, value))


def encode_again(value: object) -> Any:
    """Returns ``value`` as it leaves without redaction; of use where nothing is to be hidden."""
    return json.loads(encode(value))


def test_deep_and_wide_values_are_bounded() -> None:
    """Cycles, depth and parts that are shared 2**n times end, and secrets in them are found."""
    shared: list[Any] = [{"password": "hunter2"}]
    for _ in range(40):
        shared = [shared, shared]
    for value in (hostile.cycle() | {"token": "hunter2"}, hostile.deep(3_000, "hunter2"), shared):
        assert b"hunter2" not in encode(Redactor().value(value))


def test_a_dict_that_changes_meanwhile() -> None:
    """A function that changes what is being walked raises nothing into the event."""
    value: dict[str, Any] = {"a": {"b": 1}, "password": "hunter2"}

    def change(_key: str | None, item: Any) -> Any:
        value[f"new {len(value)}"] = 1
        return item

    result = Redactor(functions=[change]).value(value)

    assert result["password"] == "[redacted: password]"  # noqa: S105 - a marker


# Beginnings that are never completed, in a row: where patterns go back and forth most.
HOSTILE_TEXTS = [
    "a", "-", "=", ":", '"', "\\", "password", "password=", "password: ", 'password="', "token='",
    'password=\\"', "password={", "password=[", "auth=(", "token=self.", "token=a.", "token=a.a(",
    "password=*", "password=***", "password=%", "password=[redacted: ", 'password="[redacted: ',
    "password=[redacted: x] ", "password&", "token=a&", "token=a&a", "a.", "a-", "--password ",
    "--a", "<password>", "<token>a", "cookie: a", "cookie: a=", "cookie:", "authorization: bearer ",
    "bearer ", "Bearer a", "basic ", "Basic aaaaaa ", "api key ", "secret ", "://", "://a",
    "://a:b",
    "://@", "@://", "eyJ", "-eyJ", "eyJaaaaaaaa.", " eyJaaaaaaaaa.a", "glpat-", "xoxb-",
    "pypi-AgE-",
    "SG.aaaaaaaaaaaaaaaa", "ya29.", "sk-", "1", "1 ", "1-", "4111 ", "4111111111111112 ",
    "12345678901234 ", "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----aaaaaaaaaaaaaaaaaaaaaaaa\n",
    "-----BEGIN ", "PRIVATE KEY", "%(", "%s", "password=%s", "\ud800", "\u00e9", "x=1 token ",
    "<token a", "<a:", "<token><![CDATA[", "password    ", "a                    ", "a']  ",
    'name="token"\n', "name='a' value=", "[(b'a', b'", "password=A.A(", "password=Aa.Aa('", "%3A",
    "token%3D", "://a:#", "://a:b?", '"""', "token='''",
]  # fmt: skip


def seconds(work: Callable[[str], object], said: str) -> float:
    """Returns the processor's time for ``work``, the least of three tries."""
    least = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work(said)
        least = min(least, time.process_time() - begun)
    return least


@pytest.mark.parametrize("unit", HOSTILE_TEXTS)
def test_time_grows_with_length_alone(unit: str) -> None:
    """Ten times the text takes about ten times as long; by a square it would be a hundred."""
    redacting = Redactor()
    short, long = (f"token: {unit * (size // len(unit))}" for size in (10_000, 100_000))

    def arguments(said: str) -> object:
        return redacting.arguments(said, ("a",))

    for work in (redacting.text, arguments):
        # What is done in a few ms is not measured well, and is no danger.
        assert seconds(work, long) < 40 * seconds(work, short) + 0.05


def test_arguments_that_a_message_names() -> None:
    """An argument is replaced whole where the message says what it is, and nowhere else."""
    redacting = Redactor()

    def arguments(message: object, *given_arguments: object) -> Any:
        return redacting.arguments(message, given_arguments)

    assert arguments("password: %s", "two words") == ("[redacted: password]",)
    assert arguments("%d%% of %s, token='%r'", 3, "x", 5) == (3, "x", "[redacted: token]")
    same = ("a", "b")
    for message in (
        "%s by %s",
        "password %s %s",
        "password=%*s",
        "author: %s %s",
        17,
    ):
        assert redacting.arguments(message, same) is same
    assert arguments("password=%s", None) == (None,)
    assert arguments("*** password: %s ***", "two words") == ("[redacted: password]",)
    assert arguments("token=%d %s", 17, "b") == (17, "b")
    assert arguments("token=%d", "no number") == ("[redacted: token]",)
    assert redacting.arguments("%(a)s %(api_key)s", {"a": 1, "api_key": "k"}) == {
        "a": 1,
        "api_key": "[redacted: api_key]",
    }
    assert redacting.arguments("%(api_key)d", {"api_key": 5}) == {"api_key": 5}


def test_functions() -> None:
    """Functions get each key and value before the rules, and say what leaves."""

    def hide_customers(key: str | None, value: Any) -> Any:
        return "[hidden]" if key == "customer" else value

    def shout(_key: str | None, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    redacting = Redactor(functions=[hide_customers, shout])

    assert redacting.value({"customer": {"a": 1}, "b": ["c", ValueError("d")]}) == {
        "customer": "[HIDDEN]",
        "b": ["C", "VALUEERROR: D"],
    }
    assert redacting.text("password=x") == "PASSWORD=[redacted: password]"


def test_what_functions_return_is_redacted() -> None:
    """The rules have the last word, and what is no JSON becomes it."""

    def odd(key: str | None, value: Any) -> Any:
        return {"a": {"token": "x"}, "b": ValueError("password=x")}.get(str(key), value)

    assert Redactor(functions=[odd]).value({"a": 1, "b": 2}) == {
        "a": {"token": "[redacted: token]"},
        "b": "ValueError: password=[redacted: password]",
    }


@pytest.mark.parametrize("failing", [hostile.raising, lambda: None])
def test_a_failing_function_removes_the_value(failing: Any) -> None:
    """A function that fails costs the value, and says so; the event stays."""
    name = failing.__name__

    assert Redactor(functions=[failing]).text("secret") == f"[redacted: {name} failed]"

    def one(key: str | None, value: Any) -> Any:
        return failing(key) if key == "a" else value

    assert Redactor(functions=[one]).value({"a": "secret", "b": 1}) == {
        "a": "[redacted: one failed]",
        "b": 1,
    }


@pytest.mark.parametrize("said", [True, "true", "1", "Yes"])
def test_option_on(said: Any) -> None:
    """True is the default set, also as a text."""
    found = redactor(said)

    assert found is not None
    assert found.text("token=abc") == "token=[redacted: token]"


@pytest.mark.parametrize("said", [False, "false", "0", "NO"])
def test_option_off(said: Any) -> None:
    """False is no redaction."""
    assert redactor(said) is None


@pytest.mark.parametrize(
    "said",
    [
        ["ssn", "customer name", "-card", "tests.unit.test_redaction:as_it_is"],
        ("ssn", "customer name", "-card", "password"),
        "ssn, customer name, -card",
        '["ssn", "customer name", "-card"]',
    ],
)
def test_option_names(said: Any) -> None:
    """Names add keys, a minus leaves a rule out, and all else stays as it is by default."""
    found = redactor(said)

    assert found is not None
    assert found.value({"ssn": "1", "customerName": "Ann", "customer": "x", "password": "y"}) == {
        "ssn": "[redacted: ssn]",
        "customerName": "[redacted: customer name]",
        "customer": "x",
        "password": "[redacted: password]",
    }
    assert found.text("ssn=1 4111111111111111") == "ssn=[redacted: ssn] 4111111111111111"


def as_it_is(_key: str | None, value: Any) -> Any:
    """Is a function that a configuration can name."""
    return value


@pytest.mark.parametrize("said", [as_it_is, [as_it_is], "tests.unit.test_redaction:as_it_is"])
def test_option_functions(said: Any) -> None:
    """A function, or its name, stands beside the default set."""
    found = redactor(said)

    assert found is not None
    assert found.value({"token": "x", "a": 1}) == {"token": "[redacted: token]", "a": 1}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_can_be_left_out(rule: str) -> None:
    """A rule that is left out finds nothing any more, in no position."""
    redacting = Redactor(without=[rule])

    assert not any(f"[redacted: {rule}]" in left_by(redacting, case) for case in PLANTED)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, "None"), (17, "17"), ("", "'' is no name of a key"), ([17], "[17]"), ({"a": 1}, "a"),
        ("-crad", "there is no rule 'crad'"), (["-"], "there is no rule ''"),
        (["..."], "'...' is no name of a key"), (["os:nothing"], "nothing"), ("[1", "Expecting"),
        (["os:sep"], "os:sep"), (["no.module:at_all"], "No module"),
    ],
)  # fmt: skip
def test_option_refuses(said: Any, expected: str) -> None:
    """What the option does not take is refused in words that say what it takes."""
    with pytest.raises(ValueError, match="redact takes") as raised:
        _ = redactor(said)

    assert expected in str(raised.value)


def test_keys_are_not_remembered_for_ever() -> None:
    """Keys that come from outside, new ones each time, take no memory without bound."""
    redacting = Redactor()
    for number in range(10_000):
        redacting.value({f"key {number}": 1, "k" * 10_000 + str(number): 1})

    assert sys.getsizeof(redacting._rule_of_key) < 1_000_000
    assert max(map(len, redacting._rule_of_key)) <= 200
    assert len(redacting._plain_keys) <= 4_096
