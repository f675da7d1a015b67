"""Secrets planted in every position of a record, and values that only look like secrets.

The tokens are made up, and joined here from parts so that no scanner takes this file for a leak.
"""
# ruff: noqa: E501 - a table of texts, each on its line

from __future__ import annotations

import base64
import json
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Planted(NamedTuple):
    """A secret in its position: ``kind`` is how the value enters (text, value, arguments)."""

    name: str
    kind: str
    given: Any
    secret: str


@dataclass
class Account:
    """An object as applications log it."""

    user: str
    note: object


class Headers(dict[str, str]):
    """A mapping of a class of its own, as HTTP libraries have for headers."""


_B64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
_JWT = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": "Ann"}, "signature")
)
_BASIC = base64.b64encode(b"ann:correct-horse").decode()

# What is found wherever it stands, with the part of it that must not be left.
SHAPED = {
    "jwt": _JWT,
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "aws session": "ASIA" + "Y34FZKBOKMUTVV7A",
    "github": "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github fine-grained": "github_pat_" + "11ABCDEFG0abcdefghijkl_" + "Zz9" * 19,
    "gitlab": "glpat-" + "x7-Kd_9sQpL2mVbN4tRw",
    "slack": "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "slack hook": "hooks.slack.com/services/" + "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "stripe": "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "google": "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
    "openai": "sk-proj-" + "Ab12Cd34Ef56Gh78Ij90Kl12Mn34Op56",
    "anthropic": "sk-ant-" + "api03-" + "Ab12-Cd34_Ef56Gh78Ij90Kl12",
    "npm": "npm_" + "Ab12Cd34Ef56Gh78Ij90Kl12Mn34Op56Qr78",
    "pypi": "pypi-AgE" + "IcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAw",
    "sendgrid": "SG." + "ngeVfQFYQlKU0ufo8x5d1A." + "TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr",
    "shopify": "shpat_" + "0123456789abcdef0123456789abcdef",
    "bearer": "Bearer " + "mF_9.B5f-4.1JqM",
    "basic": "Basic " + _BASIC,
    "url": "postgresql://ann:corr3ct" + "@horse@db.example.com:5432/shop",
    "url with #": "redis://:corr3ct" + "#horse?@cache:6379/0",
    "url token": "https://" + "0123456789abcdef0123" + "@git.example.com/repo.git",
    "private key": f"-----BEGIN PRIVATE KEY-----\n{_B64}\n{_B64}\n-----END PRIVATE KEY-----",
    "rsa key": f"-----BEGIN RSA PRIVATE KEY-----\n{_B64}\n-----END RSA PRIVATE KEY-----\n",
    "cut key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{_B64}\n{_B64[:30]}",
    "visa": "4111 1111 1111 1111",
    "visa of 13": "4222222222222",
    "visa in dashes": "4012-8888-8888-1881",
    "mastercard": "5555555555554444",
    "mastercard 2": "2223 0031 2200 3222",
    "amex": "3782 822463 10005",
    "discover": "6011000990139424",
    "diners": "3056 930902 5904",
    "jcb": "3566002020360505",
    "unionpay": "6200000000000005",
}
# Of these only a part is the secret: the rest may stay.
_PARTS = {
    "bearer": "mF_9.B5f-4.1JqM", "basic": _BASIC, "url": "corr3ct", "url with #": "corr3ct", "url token": "0123456789abcdef0123",
    "private key": _B64[:20], "rsa key": _B64[:20], "cut key": _B64[:20],
}  # fmt: skip

SECRET = "hunter2,c0rrect&H0rse"  # noqa: S105 - the one that is planted under keys
KEYS = [
    "password", "db_password", "dbPassword", "DB_PASSWORD", "newPassword2", "userpassword",
    "password_hash", "passwd", "smtp.passphrase", "PGPASSWORD", "secret", "clientSecret",
    "AWS_SECRET_ACCESS_KEY", "token", "access_token", "refreshToken", "csrfmiddlewaretoken",
    "X-Auth-Token", "api_key", "X-Api-Key", "APIKey", "apikey", "Ocp-Apim-Subscription-Key",
    "authorization", "Proxy-Authorization", "cookie", "Set-Cookie", "private_key", "credentials",
    "card_number", "cvv", "otp",
]  # fmt: skip


def _traceback_of(message: str, note: str = "") -> str:
    """Returns the text of a real traceback, with a cause, in which ``message`` is said."""
    try:
        try:
            raise KeyError(note)
        except KeyError as error:
            raise ValueError(message) from error
    except ValueError:
        return traceback.format_exc()


_SHAPED_POSITIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "message": ("text", lambda secret: f"could not use {secret} for order 17"),
    "alone": ("text", lambda secret: secret),
    "traceback": ("text", lambda secret: _traceback_of(f"refused: {secret}", secret)),
    "JSON text": ("text", lambda secret: json.dumps({"note": f"used {secret}", "n": 1})),
    "extra": ("value", lambda secret: {"order": 17, "note": f"used {secret}, then left"}),
    "nested": ("value", lambda secret: {"a": [{"b": ("c", [f"x {secret}"])}]}),
    "key": ("value", lambda secret: {"by": {secret: 3}}),
    "object": ("value", lambda secret: {"account": Account("ann", [secret])}),
    "exception": ("value", lambda secret: {"error": ValueError(f"refused: {secret}")}),
}
_KEY_POSITIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "extra": ("value", lambda key: {"order": 17, key: SECRET}),
    "nested": ("value", lambda key: {"a": [{"b": ({key: SECRET},)}]}),
    "container": ("value", lambda key: {key: {"now": [SECRET], "before": SECRET}}),
    "mapping": ("value", lambda key: {"headers": Headers({key: SECRET})}),
    "pairs": ("value", lambda key: {"headers": [("Accept", "*/*"), (key, SECRET)]}),
    "named": ("value", lambda key: {"env": [{"name": key, "value": SECRET}]}),
    "pair in text": ("text", lambda key: f"{key}={SECRET} was refused"),
    "header": ("text", lambda key: f"sent\n{key}: {SECRET}\nAccept: */*"),
    "JSON text": ("text", lambda key: f"got {json.dumps({'a': 1, key: SECRET, 'b': 2})}"),
    "JSON in JSON": ("text", lambda key: json.dumps({"body": json.dumps({key: SECRET})})),
    "repr": ("text", lambda key: f"got { ({'a': 1, key: SECRET})!r}"),
    "item": ("text", lambda key: f"    data['user'][\"{key}\"] = {SECRET!r}"),
    "aligned": ("text", lambda key: f"user            : ann\n{key}            : {SECRET}"),
    "triple quotes": ("text", lambda key: f'{key} = """{SECRET}"""'),
    "object in a repr": ("text", lambda key: f"got {{'{key}': values.Id('{SECRET}')}}"),
    "ASGI's headers": ("text", lambda key: f"{[(b'host', b'x'), (key.encode(), SECRET.encode())]}"),
    "call": ("text", lambda key: f"    connect({key}={SECRET!r}, timeout=3)"),
    "query": ("text", lambda key: f"GET /orders?page=2&{key}=c0rrectH0rse&size=10 200"),
    "XML": ("text", lambda key: f"<a><{key}>{SECRET.replace('&', '+')}</{key}></a>"),
    "SOAP": ("text", lambda key: f"<w:{key} Type='a#b'>{SECRET.replace('&', '+')}</w:{key}>"),
    "CDATA": ("text", lambda key: f"<{key}><![CDATA[{SECRET}]]></{key}>"),
    "attributes": ("text", lambda key: f'<add key="{key}" value="{SECRET}"/>'),
    "form": ("text", lambda key: f'form-data; name="{key}"\r\n\r\n{SECRET}\r\n--x--'),
    "form in a repr": (
        "text",
        lambda key: f"""{f'form-data; name="{key}"' + chr(10) * 2 + SECRET!r}""",
    ),
    "encoded form": ("text", lambda key: f"user%5Bname%5D=ann&user%5B{key}%5D=c0rrectH0rse"),
    "URL in a URL": ("text", lambda key: f"/login?next=%2Fa%3Fb%3D1%26{key}%3Dc0rrectH0rse"),
    "command line": ("value", lambda key: ["tool", f"--{key}", SECRET, "--verbose"]),
    "option": ("text", lambda key: f"ran ['tool', '--{key}', '{SECRET}', '--verbose']"),
    "traceback": ("text", lambda key: _traceback_of(f"{key}: {SECRET}")),
    "argument": ("arguments", lambda key: (f"user %s, {key}=%s", ("ann", f"two words {SECRET}"))),
    "named argument": ("arguments", lambda key: (f"%(user)s %({key})s", {"user": 1, key: SECRET})),
}

PLANTED = [
    Planted(f"{name} · {position}", kind, plant(secret), _PARTS.get(name, secret))
    for name, secret in SHAPED.items()
    for position, (kind, plant) in _SHAPED_POSITIONS.items()
] + [
    Planted(f"{key} · {position}", kind, plant(key), "0rrect")
    for key in KEYS
    for position, (kind, plant) in _KEY_POSITIONS.items()
]

# Keys whose values stay, whatever these are.
_OPEN_KEYS = [
    "authenticated", "author", "authors", "authority", "author_id", "tokenizer", "tokenize",
    "token_type", "token_count", "max_tokens", "total_tokens", "prompt_tokens", "next_token",
    "nextPageToken", "next_page_token", "first_token", "time_to_first_token", "cost_per_token", "continuation_token", "pad_token", "secretary",
    "secretariat", "secret_name", "secret_count", "passwordless", "passwordless_login_count",
    "password_length", "password_reset_url", "password_changed_at", "passenger", "compass",
    "bypass", "pass_count", "passed", "cookie_consent", "cookie_domain", "session", "session_id",
    "sessions", "key", "keyboard", "keys", "monkey", "primary_key", "foreign_key", "sort_key",
    "api", "api_version", "api_key_id", "access", "access_log", "authorization_url", "auth_method",
    "oauth_provider", "private", "public_key", "keynote", "card", "card_type", "discard", "postcard",
    "scorecard", "credit", "credential_type", "pin", "design", "signal", "signature", "code", "hotpot",
    "name", "value", "user", "email",
]  # fmt: skip
_OPEN_TEXTS = [
    "Invalid password: must have 8 characters", "wrong password: not accepted", "password: required",
    "password=None", "password: str = None, token: Optional[str]", "token=token, password=password",
    "password=self.password, key=settings.KEY", "token = get_token(request)", "unexpected token: }",
    "token: unknown", "api_key: missing", "unexpected token: ','", "Unexpected token: 'bar'",
    "SyntaxError: invalid token: '}'", "time to first token: 0.35s", "token: revoked", "otp: sent",
    "csrf: failed", "authorization: granted", "self._token = token", "https://a.com:80?x=b@c.com",
    "<tokens>3</tokens>", "data['order'] = token", "name='age' value='17'", "password=%s and token=%(token)s", "password={password}",
    "secret: ${SECRET}", "password=*** for ann", "password=<not shown>", 'password=""', "token=''",
    "the user authenticated: yes", "author: Ann, secretary: Bob", "tokenizer=bpe max_tokens=512",
    "token_count: 17 total_tokens=25", "cookies=3 are set", "cookie: is missing", "no secrets here",
    "she has the key to it", "password reset requested", "password changed", "a bearer of bad news",
    "Bearer authentication failed", "basic authentication is off", "Basic research takes time",
    "see https://example.com/@ann/posts?page=2", "mail ann@example.com about https://example.com",
    "ssh://git@github.com/acme/shop.git", "https://example.com:8443/a?x=ann@example.com",
    "https://example.com/?sort=key&page=3&code=404", "https://example.com/tokens/17?tokenized=1",
    "order 1234567890123456", "order 4111111111111112", "order no 4111-1111-1111-1112",
    "at 1732412444123", "at 1732412444123456789", "2026-11-24 01:40:44,123 +0000", "20261124014044",
    "id 6f1c2d3e-8a4b-4c5d-9e6f-7a8b9c0d1e2f", "trace 0af7651916cd43dd8448eb211c80319c",
    "traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0.4111111111111111",
    "x4111111111111111", "4111111111111111a", "phone +49 30 901820 1234", "IBAN DE89 3704 0044 0532 0130 00",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 1daea434d2f2d1fd3f3e1f9a4a5d6b7c8d9e0f1a", "version 3.11.4, build 20230606",
    "192.168.100.200 10.0.0.1 fe80::1ff:fe23:4567:890a", "AKIA is how such ids begin",
    "ghp_ is a prefix", "sk-learn and sk-image", "task-runner-with-a-very-long-kebab-name",
    "eyJ begins a JWT", "eyJhbGciOiJIUzI1NiJ9", "xoxo, Ann", "SG.1", "npm_config_cache",
    "-----BEGIN PRIVATE KEY----- is not in the file", "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIE",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "GET /api/keys 200 in 35 ms",
    'File "/srv/app/tokens.py", line 12, in tokenize', "KeyError: 'order'", "Tr\u00e8s s\u00fbr: oui, 17\u20ac",
    "\u5bc6\u7801\u5df2\u66f4\u6539 order: 17", "def login(user, password):", "select password from users",
    "keyboard: de, monkey=1", "compass: north; passed=3 failed=0", "pass: 3 fail: 1", "bypass=true",
    "the passenger: Ann", "design=flat signal: 9", "discard=3 postcard: yes", "session=17 session_id=s-1",
    "card: visa, card_type=debit", "primary_key=17 sort_key: name", "public_key=ssh-ed25519",
    "{'error': 'invalid_token', 'token_type': 'mac'}", '{"password": null, "token": true}',
    "C:\\Users\\ann\\secrets.txt", "std::Token::new", "token == '' or password == None",
]  # fmt: skip
_OPEN_VALUES: list[Any] = [
    {"password": None}, {"password": ""}, {"has_password": True}, {"token": False}, {"secret": "***"},
    {"cookies": 3}, {"cookies": {}}, {"credentials": []}, {"auth": True}, {"authorization": None},
    {"order": 1234567890123456}, {"at": 1732412444123}, {"at": 1732412444123456789}, {"n": 10**40},
    {"n": -4111111111111111}, {"x": 4111111111111111.5}, {"fields": ["password", "email"]},
    {"fields": ("password", "token")}, {"columns": [["id", "name"], ["token", "age", "x"]]},
    {"name": "Ann", "value": 17}, {"key": "order", "value": "17"}, {"name": "password", "age": 3},
    {1: "one", None: 2, False: 3}, [1, "two", None, 3.5], "text", 17, None, {"a": {"b": [{}, []]}},
    {"error": {"code": "invalid_password", "param": "password"}}, {"path": "/reset-password"},
    {"event": "password_reset"}, {"scope": "read:tokens"}, {"grant": "refresh_token"},
]  # fmt: skip

LOOK_ALIKES: list[tuple[str, Any]] = [
    *(("value", {key: "something-17", "other": 1}) for key in _OPEN_KEYS),
    *(
        ("text", f"{key}=something-17 for {key}: else-18")
        for key in _OPEN_KEYS
        if key != "signature"
    ),
    *(("text", said) for said in _OPEN_TEXTS),
    *(("value", {"note": said}) for said in _OPEN_TEXTS),
    *(("value", value) for value in _OPEN_VALUES),
]
"""What must come out as it went in, the same object."""
