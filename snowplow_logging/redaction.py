"""Secrets → markers. Pure: it works in the caller's thread, before anything is encoded.

The law: what ``Redactor`` returns holds no value that a rule finds; a marker that names the rule
stands in its place. What it is given is never changed, and is returned itself where nothing was
found. A rule that fails removes the value, never the event. The time that a text takes grows with
its length, and not faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from snowplow_logging._json import elements, is_simple, plain
from snowplow_logging._secrets import (
    ELEMENT,
    FORM,
    FORMATS,
    KEY,
    LEAST_CARD,
    NAMED,
    OPTION,
    PAIR,
    TOO_LARGE_FOR_CARD,
    is_card,
    is_open,
    looks_secret,
    marker,
    secret_after,
    without_cards,
    without_credentials,
    without_private_keys,
    without_userinfo,
)
from snowplow_logging._text import CUT_MARK, SEAM, class_name, shown, text

Function = Callable[[str | None, Any], Any]

# Each phrase is the end of a key, in whole words: `db_password`, `X-Api-Key`, `newPassword2`.
_PHRASES = {
    "password": "password, passwords, passwd, pwd, pw, passphrase, passcode, db pass, user pass, "
    "smtp pass, mail pass, email pass, ftp pass, mysql pass, redis pass, otp, totp",
    "secret": "secret, secrets, secret key, secretkey, secret access key, signing key, "
    "encryption key, master key, credential, credentials, creds",
    "token": "token, access tokens, refresh tokens, auth tokens, api tokens, jwt, bearer, csrf, "
    "xsrf",
    "api_key": "api key, api keys, apikey, apikeys, access key, account key, auth key, app key, "
    "subscription key, storage key",
    "private_key": "private key, privatekey",
    "authorization": "authorization, auth header, basic auth, http auth, proxy auth",
    "cookie": "cookie, cookies, session key",
    "card": "credit card, creditcard, card number, cardnumber, cvv, cvc",
    "signature": "amz signature, goog signature",
}
_WHOLE_KEYS = {"auth": "authorization"}  # as part of a key it says too little
_QUERY_KEYS = {"sig": "signature", "signature": "signature", "hmac": "signature"}
# English has no other words that end so, and these are often glued to what is before them.
_GLUED = re.compile(r"(?:(password|passwd|passphrase)|(secret)|(token)|(apikey|accesskey))\Z")
_GLUED_RULES = ("password", "secret", "token", "api_key")
_TRAILING = frozenset(
    re.findall(
        r"\w+",
        "hash hashed value plain plaintext raw confirm confirmation repeat again new old header",
    )
)
# Tokens that say where to go on, or are words of a language model or a parser.
_NO_SECRET_TOKENS = frozenset(
    re.findall(
        r"\w+",
        "next page previous prev continuation sync pad eos bos sep unk mask cls unexpected "
        "first last per start stop end special",
    )
)

RULES = (*_PHRASES, "url", *FORMATS)
"""The names of the rules, all of which are on by default."""

LONGEST_TEXT = 190_000
"""Characters that are looked at of a text: no event can hold one that is longer."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_SEGMENTS = re.compile(r"[^\W_]+")
_DIRECTIVE = re.compile(r"%(?:\(([^()]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?([a-zA-Z%])")
_MAX_JUDGED = 4_096  # keys remembered; an application has some hundred
_LONGEST_KEY = 200  # of those, and what is looked at of longer ones
# What finds keys in texts, where what is in all texts that it is of use in is there.
_PATTERNS = {KEY: "", ELEMENT: "</", OPTION: "--", PAIR: ",", NAMED: "alue", FORM: "form-data"}
_OPTION = re.compile(r"--[\w.-]{2,100}")
# {"name": "password", "value": …}, as forms and environments are written.
_NAMES = ("name", "key", "Name", "Key")
_NUMBERS = frozenset({int, float, bool, type(None)})
_VALUES = frozenset({"value", "Value"})
_TEXT = frozenset({str})
_type: Callable[[Any], Any] = type  # so that type checkers do not infer more than there is


class Redactor:
    """Finds secrets by key and by value.

    Args:
        keys: Names of keys whose values are redacted, too.
        without: Names of rules to leave out.
        functions: Are called with each key and value (a text that stands alone has no key), before
            the rules, and return the value to use.

    Raises:
        ValueError: A name is none of a key, or of a rule.
    """

    def __init__(
        self,
        *,
        keys: Iterable[str] = (),
        without: Iterable[str] = (),
        functions: Iterable[Function] = (),
    ) -> None:
        off = frozenset(without)
        for name in off - frozenset(RULES):
            msg = f"there is no rule {shown(name)} to leave out; there are {', '.join(RULES)}"
            raise ValueError(msg)
        self._functions = tuple(functions)
        self._off = off
        phrases = {phrase: rule for rule in _PHRASES for phrase in _PHRASES[rule].split(", ")}
        phrases |= {_phrase(key): key for key in keys if key not in RULES}
        self._phrases = {phrase: rule for phrase, rule in phrases.items() if rule not in off}
        self._longest = max((phrase.count(" ") + 1 for phrase in self._phrases), default=0)
        self._hints = _hints(self._phrases)
        self._rule_of_key: dict[str, str | None] = {}
        self._plain_keys: set[Any] = set()
        formats = [f"(?P<{name}>{FORMATS[name]})" for name in FORMATS if name not in off]
        self._formats = re.compile(f"(?<![A-Za-z0-9])(?:{'|'.join(formats) or '(?!)'})", re.ASCII)
        rules: dict[str, Callable[[str], str]] = {
            "private_key": without_private_keys,
            "url": without_userinfo,
            "pairs": self._without_pairs,
            "formats": self._without_formats,
            "authorization": without_credentials,
            "card": without_cards,
        }
        self._rules = [(name, rule) for name, rule in rules.items() if name not in off]

    def text(self, value: str) -> str:
        """Returns a message, a traceback or any other text without the secrets in it."""
        if self._functions:
            changed = self._call(None, value)
            value = changed if type(changed) is str else text(changed)
        return self._clean(value)

    def value(self, value: Any) -> Any:
        """Returns ``value`` without the secrets in it, by key and by value.

        What is not made of JSON's own types is made so first, as the encoder would do.

        Raises:
            RecursionError, MemoryError: where the caller itself is at the interpreter's limit.
        """
        try:
            if _type(value) is dict and self._is_clean(value):
                return value  # as most are
            if is_simple(value):
                return self._member(None, None, value)
        except RuntimeError:  # another thread changed a dict meanwhile
            pass
        return self._member(None, None, plain(value))

    def arguments(self, message: object, arguments: Any) -> Any:
        """Returns the arguments of a log message, those that its text names as secret replaced.

        In ``"password: %s"`` the argument is the password, even if it has spaces.
        """
        kind = _type(arguments)
        if type(message) is not str or kind not in (tuple, dict):
            return arguments
        if kind is tuple and not self._mentions(message):
            return arguments
        values: dict[Any, Any] = (
            dict(arguments) if kind is dict else dict(enumerate(elements(arguments)))
        )
        starts = {match.end(): rule for match, rule in self._secret_keys(KEY, message)}
        found = False
        directives = [match for match in _DIRECTIVE.finditer(message) if match[2] != "%"]
        if any("*" in directive[0] for directive in directives):
            return arguments  # which argument is which takes a formatter to say
        for place, directive in enumerate(directives):
            start = directive.start()
            rule = starts.get(start) or (
                starts.get(start - 1) if message[start - 1 : start] in ('"', "'") else None
            )
            name = directive[1] if kind is dict else place
            rule = rule or (self._rule(directive[1]) if directive[1] else None)
            value = values.get(name)
            # A text where a number belongs is shown beside the message.
            is_text = directive[2] in "sra" or type(value) is str
            if rule and is_text and not is_open(rule, value):
                values[name] = marker(rule)
                found = True
        if not found:
            return arguments
        return values if kind is dict else tuple(values.values())

    def keyed(self, values: dict[str, Any]) -> dict[str, str]:
        """Returns the markers of those members whose keys alone say that they are secret."""
        rules = {key: self._rule(key) for key in values if type(key) is str}
        return {
            key: marker(rule)
            for key, rule in rules.items()
            if rule and not is_open(rule, values[key])
        }

    def _mentions(self, value: str) -> bool:
        """Says whether ``value`` may say what a key's value is."""
        if "=" in value or ":" in value or "--" in value or "</" in value or "(" in value:
            return self._hints.search(value.lower()) is not None
        return False

    def _clean(self, value: str) -> str:
        if len(value) > LONGEST_TEXT:
            return self._clean(value[:LONGEST_TEXT])[:-SEAM] + CUT_MARK
        if not looks_secret(value) and not self._mentions(value):
            return value
        result = value
        for name, rule in self._rules:
            try:
                result = rule(result)
            except Exception:  # noqa: BLE001, PERF203 - better no text than one with a secret
                return marker(f"{name} failed")
        return value if result == value else result

    def _call(self, key: str | None, value: Any) -> Any:
        for function in self._functions:
            try:
                value = function(key, value)
            except Exception:  # noqa: BLE001, PERF203 - users' functions may raise anything
                return marker(f"{_name(function)} failed")
        return value

    def _member(self, key: str | None, rule: str | None, value: Any) -> Any:
        if self._functions:
            changed = self._call(key, value)
            value = value if changed is value else plain(changed)
        if rule and not is_open(rule, value):
            return marker(rule)
        kind = _type(value)
        if kind is str:
            return self._clean(value)
        if kind is dict:
            return value if self._is_clean(value) else self._object(value)
        if kind is list or kind is tuple:
            return self._array(key, value)
        if kind is int and LEAST_CARD <= value < TOO_LARGE_FOR_CARD and "card" not in self._off:
            return marker("card") if is_card(str(value)) else value
        return value

    def _is_clean(self, value: dict[Any, Any]) -> bool:
        """Says of a flat dict, at one look at all its texts, whether nothing is in it."""
        if self._functions or not self._plain_keys.issuperset(value):
            return False
        texts: list[str] = []
        for item in value.values():
            kind = _type(item)
            if kind is str:
                texts.append(item)
            elif (kind is int and item >= LEAST_CARD) or kind not in _NUMBERS:
                return False
        joined = "\n".join(texts)
        return not looks_secret(joined) and not self._mentions(joined)

    def _object(self, value: dict[Any, Any]) -> dict[Any, Any]:
        named = self._named(value)
        result: dict[Any, Any] = {}
        same = True
        for key, item in list(value.items()):
            name = key if type(key) is str else text(key)
            rule = self._rule(name)
            shown_key = self._shown(key, name)
            while shown_key in result:
                shown_key = f"{shown_key}'"
            new = self._member(name, rule or (named if key in _VALUES else None), item)
            same = same and new is item and shown_key is key
            result[shown_key] = new
        return value if same else result

    def _named(self, value: dict[Any, Any]) -> str | None:
        """Returns the rule for ``value`` in an object such as {"name": …, "value": …}."""
        if not _VALUES.isdisjoint(value):
            for key in _NAMES:
                name = value.get(key)
                if type(name) is str:
                    return self._rule(name)
        return None

    def _shown(self, key: Any, name: str) -> Any:
        if key in self._plain_keys:
            return key
        clean = self._clean(name)
        if clean is not name:
            return clean
        if type(key) is str and not self._rule(name) and key not in _VALUES:
            _remember(self._plain_keys.add, self._plain_keys, key)
        return key

    def _array(self, key: str | None, value: Any) -> Any:
        if all(map(_is_pair, value)):  # as headers and forms often are
            new = [self._pair(item) for item in value]
        elif _TEXT.issuperset(map(type, value)):  # as command lines are
            rules = (None, *map(self._rule_of_option, value))
            new = [self._member(key, rule, item) for rule, item in zip(rules, value, strict=False)]
        else:
            new = [self._member(key, None, item) for item in value]
        return value if all(map(_is, new, value)) else new

    def _rule_of_option(self, argument: str) -> str | None:
        """Returns the rule for what comes after ``argument`` in a command line."""
        return self._rule(argument) if _OPTION.fullmatch(argument) else None

    def _pair(self, pair: Any) -> Any:
        name, item = pair
        new = self._member(name, self._rule(name), item)
        return pair if new is item and self._clean(name) is name else [self._clean(name), new]

    def _rule(self, key: str) -> str | None:
        """Returns the rule that the values of ``key`` fall under."""
        try:
            return self._rule_of_key[key]
        except KeyError:
            rule = self._find_rule(key)
            if len(self._rule_of_key) < _MAX_JUDGED and len(key) <= _LONGEST_KEY:
                self._rule_of_key[key] = rule
            return rule

    def _find_rule(self, key: str) -> str | None:
        whole = _WHOLE_KEYS.get(key.lower())
        if whole:
            return None if whole in self._off else whole
        key = key[-_LONGEST_KEY:]
        for words in (_words(key), _SEGMENTS.findall(key.lower())):
            while len(words) > 1 and (words[-1].isdigit() or words[-1] in _TRAILING):
                words.pop()
            for count in range(min(self._longest, len(words)), 0, -1):
                rule = self._phrases.get(" ".join(words[-count:]))
                if rule:
                    leads = rule == "token" and count == 1 and words[-2:-1]
                    return None if leads and leads[0] in _NO_SECRET_TOKENS else rule
            glued = _GLUED.search(words[-1]) if words else None
            if glued:
                rule = _GLUED_RULES[(glued.lastindex or 1) - 1]
                return None if rule in self._off else rule
        return None

    def _secret_keys(
        self, pattern: re.Pattern[str], value: str
    ) -> Iterator[tuple[re.Match[str], str]]:
        for match in pattern.finditer(value):
            before = value[match.start() - 1 : match.start()]
            # In a repr, or in JSON, a line's end is written as two characters.
            escaped = before == "\\" and match[1][0] in "nrt"
            rule = self._rule(match[1][1:] if escaped else match[1])
            if rule is None and before == "%":  # as of %5B in a query string
                rule = self._rule(match[1][2:])
            if rule is None and before in ("?", "&"):
                rule = _QUERY_KEYS.get(match[1].lower())
                rule = None if rule in self._off else rule
            if rule:
                yield match, rule

    def _without_pairs(self, value: str) -> str:
        if not self._mentions(value):
            return value
        for pattern in [each for each in _PATTERNS if _PATTERNS[each] in value]:
            parts: list[str] = []
            done = 0
            for match, rule in self._secret_keys(pattern, value):
                if match.start() < done:
                    continue  # it is inside what goes; to look at it again would take long
                start, end = secret_after(match, rule, value)
                if end > start:
                    parts += value[done:start], marker(rule)
                    done = end
            value = "".join(parts) + value[done:] if parts else value
        return value

    def _without_formats(self, value: str) -> str:
        return self._formats.sub(lambda match: marker(match.lastgroup or "key"), value)


def _phrase(key: str) -> str:
    words = _words(key)
    if not words:
        msg = f"{shown(key)} is no name of a key"
        raise ValueError(msg)
    return " ".join(words)


def _words(key: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(key)]


def _hints(phrases: Iterable[str]) -> re.Pattern[str]:
    """Returns what finds, in lower case, a part of each phrase: as few and short as will do."""
    hints: set[str] = {*_QUERY_KEYS, *_WHOLE_KEYS, "pass", "secret", "token"}
    for phrase in sorted(phrases, key=lambda phrase: phrase.count(" ")):
        if not any(hint in word for hint in hints for word in phrase.split()):
            hints.add(phrase.split()[-1])
    fewest = [hint for hint in hints if not any(other in hint for other in hints - {hint})]
    return re.compile("|".join(sorted(re.escape(hint) for hint in fewest)))


def _remember(add: Callable[[Any], None], known: Any, key: str) -> None:
    if len(known) < _MAX_JUDGED and len(key) <= _LONGEST_KEY:
        add(key)


def _name(function: Function) -> str:
    name: Any = getattr(function, "__name__", None)
    return name if type(name) is str else class_name(function)


def _is_pair(item: Any) -> bool:
    return type(item) in (list, tuple) and len(item) == 2 and type(item[0]) is str  # noqa: PLR2004 - a pair


def _is(one: object, other: object) -> bool:
    return one is other
