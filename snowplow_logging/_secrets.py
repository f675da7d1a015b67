"""What secrets look like in texts. Pure functions of texts, and the patterns behind them.

The law: no pattern takes more time than grows with the length of the text, whatever the text.
Repeats that may fail are bounded, or begin where none can begin inside another.
"""

from __future__ import annotations

import base64
import re
from typing import Any

# Well-known formats of keys, each after a character that is no letter or digit.
FORMATS = {
    "jwt": r"eyJ[\w-]{8,1024}\.[\w-]{8,}(?:\.[\w-]*){0,3}",
    "aws_key": r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])",
    "github_token": r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}",
    "gitlab_token": r"gl[a-z]{2,5}-[\w-]{20,}",
    "slack_token": r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}"
    r"|hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,}",
    "stripe_key": r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,}",
    "google_key": r"AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{20,}",
    "ai_key": r"sk-(?:ant|proj|svcacct|admin)-[\w-]{20,}|sk-[A-Za-z0-9]{32,}|hf_[A-Za-z0-9]{34}",
    "package_token": r"npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,}",
    "mail_key": r"SG\.[\w-]{16,32}\.[\w-]{16,64}|key-[0-9a-f]{32}(?![A-Za-z0-9])",
    "cloud_token": r"shp[a-z]{2}_[A-Fa-f0-9]{32}|do[opr]_v1_[a-f0-9]{64}",
}
# Each has the key as its first group; an element's has a second one, which takes part.
KEY = re.compile(
    r"(?<![\w.\-])"
    r"((?:(?:api|secret|private|access|auth|signing|encryption|card|unexpected|next|first)[ ])?"
    r"[\w.\-]{2,200})"
    r"""(?:(?:\]|%5D|%22)?(?:={1,3}|%3[AD])"""
    r"""|(?:\\{0,7}["']\]?)?[ \t]{0,40}(?:=>|:=|={1,3}|:(?!:)))[ \t]{0,40}()""",
    re.IGNORECASE,
)
ELEMENT = re.compile(r"<(?:[\w\-]{1,50}:)?([\w.\-]{2,100})(?:\s[^<>]{0,500})?(>)(?:<!\[CDATA\[)?")
OPTION = re.compile(r"""(?<![\w-])(--[\w.-]{2,100})(?:["'],[ ]?|[ ])(?!-)()""")
# [("Accept", "*/*"), (b"Cookie", …)]: a pair of texts, in a row of such.
PAIR = re.compile(
    r"""(?:(?<=[(\[][(\[])|(?<=[)\]],[(\[])|(?<=[)\]],[ ][(\[]))"""
    r"""b?["']([\w. \-]{2,100})["'],[ ]?()"""
    r"""(?=b?"(?:[^"\\]|\\.){0,8192}"[)\]]|b?'(?:[^'\\]|\\.){0,8192}'[)\]])""",
    re.DOTALL,
)
# {"name": "password", "value": …}, and name="password" value=… of HTML.
NAMED = re.compile(
    r"""(?<![\w.\-])\\{0,7}["']?(?:name|key)(?:\\{0,7}["'])?[ ]?[:=][ ]?\\{0,7}["']"""
    r"""([\w. \-]{2,100})\\{0,7}["'],?[ ]?\\{0,7}["']?value(?:\\{0,7}["'])?[ ]?[:=][ ]?()""",
    re.IGNORECASE,
)
# A form's part: a name, and after an empty line its value; also as a repr has it.
FORM = re.compile(
    r"""name=\\{0,7}"([\w. \-]{2,100})\\{0,7}"(?:(?:\r|\\{1,7}r)?(?:\n|\\{1,7}n)){2}()"""
)
_QUOTE = re.compile(r"""[bBuUrRfF]{0,2}(\\*)(["'])(?:\1\2\1\2)?""")
_QUOTED = {
    ('"', False): re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL),
    ("'", False): re.compile(r"[^'\\]*(?:\\.[^'\\]*)*", re.DOTALL),
    ('"', True): re.compile(r'[^"\\]*(?:\\+(?!["\\])[^"\\]*)*'),
    ("'", True): re.compile(r"[^'\\]*(?:\\+(?!['\\])[^'\\]*)*"),
}
_CONTAINER = re.compile(
    r"\{[^{}]{0,2000}\}|\[[^\[\]]{0,2000}\]|[\w.]{0,200}\([^()]{0,2000}\)|[\[{(][^\n]*"
)
# Punctuation belongs to a value unless a space, an end, or the next pair comes after it.
_BARE = re.compile(
    r"""[^\s"'<>&,;)\]}\\]*(?:(?:\\(?!["'nrt])|["'](?=\w)"""
    r"""|[<>&,;)\]}](?!\s|\Z|["'<>&,;)\]}/\\]|[\w.\-]{1,64}["']?[=:]))[^\s"'<>&,;)\]}\\]*)*"""
)
_SCHEME = re.compile(
    r"(?i:(?:bearer|basic|token|bot|negotiate|ntlm|apikey|jwt)[ \t]+)[^\s\"'<>,;]+"
    r"|(?i:(?:digest|aws4|oauth|hawk|signature|mac|vapid|gnap)[\w-]*[ \t])[^\r\n]*"
)
_PROSE = frozenset(
    re.findall(
        r"\w+",
        """
        a accepted an and any are as at be been but by can cannot changed created deleted denied
        disabled does empty enabled expired failed false for from granted has have id in incorrect
        invalid is it length mismatch missing must name needs no none not null of off ok on only
        optional or refreshed rejected required reset revoked rotated sent set should string that
        the this to too true type unknown unset updated valid verified was were will with wrong yes
        you your str bytes int bool any secretstr undefined nil
        """,
    )
)
_LITERALS = frozenset(("none", "null", "nil", "true", "false", "undefined", "unset"))
# What stands where a secret will be, or was.
_MASKS = (
    r"\[redacted: [^\[\]]{0,100}\]|[*]{3,100}|%(?:\(\w{1,100}\))?[-+ #0-9.]{0,9}[a-z]"
    r"|\{[\w.!:]{0,100}\}|\$\{\w{1,100}\}|<[\w .-]{1,100}>"
)
_PLACEHOLDER = re.compile(rf"{_MASKS}|[^\w\s]{{0,3}}")  # or is punctuation, as parsers name it
_UNSET = re.compile(rf"(?:{_MASKS}|\(\)|\[\])(?![^\s,;&\"')\]}}<.:])")
_WORD = re.compile(r"\w{1,100}(?=[.!?:]{0,3}(?:[\s,;)&\]}<\"']|\Z))")
# Code that makes a value. UUID('…') and the like are how objects show theirs.
_CODE = re.compile(
    r"(?:self|cls|settings|config|os|request|args|kwargs)[.\[]|Optional\["
    r"|(?!(?:[A-Za-z_]{1,100}\.){0,5}[A-Z]\w{0,100}\((?:\w{1,50}=)?b?[\"'])"
    r"[A-Za-z_]{1,100}(?:\.[A-Za-z_]{1,100}){0,5}\("
)
_COOKIES = {quote: re.compile(rf"[^\s=;,\"']{{1,256}}=[^\r\n{quote}]*") for quote in ("", '"', "'")}
# A # or ? belongs to what is before an @ where it cannot come after a port.
_USERINFO = re.compile(
    r"""(?<=://)([^\s/?#"'<>\\]+|[^\s/?#"'<>\\:@\[]*:(?!\d{0,5}[?#])[^\s/"'<>\\]+)@"""
)
_BEARER = re.compile(r"(?i)(?<![A-Za-z0-9])(?:(bearer)|basic)[ \t]+([A-Za-z0-9+/=._~\-]{6,})")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"[A-Za-z0-9+/]{20}")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_GAP = r"[ .\-\u00a0\u2007\u2009\u202f\u2010-\u2013]?"
_CARD = re.compile(
    rf"(?<![A-Za-z0-9])(?<!\d\.)(?:\d{{4}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{4}}"
    rf"|\d{{4}}({_GAP})\d{{6}}\2\d{{4,5}}|\d{{13,19}})(?![A-Za-z0-9]|\.\d)",
    re.ASCII,
)
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|64[4-9]\d|65\d\d|62\d\d|220[0-4]|35[2-8]\d"
    r"|5018|5020|5038|6304|6759|676[1-3])\d{12,15}"
)
LEAST_CARD, TOO_LARGE_FOR_CARD = 10**12, 10**19  # Python may refuse to print a much larger one
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_SHORTEST_TOKEN = 16
_MASK = re.compile(r"[*]{3,}|\[redacted: [^\[\]]*\]|")
# Only texts that pass one of these, or name a key, are looked at closer: hardly any does.
_IN_TOKEN = bytes(97 if re.match(rb"[\w-]", bytes((byte,))) else 32 for byte in range(256))
_GAPS = bytes({*b" -./", *range(0x80, 0x100)})
_IS_DIGIT = bytes(48 if byte in b"0123456789" else 32 for byte in range(256))
_CARD_DIGITS, _TOKEN_RUN = b"0" * 13, b"a" * _SHORTEST_TOKEN


def marker(rule: str) -> str:
    """Returns what stands for a value that ``rule`` found."""
    return f"[redacted: {rule}]"


def looks_secret(value: str) -> bool:
    """Says whether a text may hold a secret that no key announces; wrongly at times, and quickly.

    There may be one where many digits are in a row, gaps aside, or many characters of a token.
    """
    raw = value.encode("utf-8", "replace")
    return (
        raw.translate(_IN_TOKEN).find(_TOKEN_RUN) >= 0  # "in" takes twice the time
        or ("://" in value and "@" in value)
        or (raw.translate(_IS_DIGIT).count(b"0") >= len(_CARD_DIGITS) and _has_digits(raw))
        # The rest has a space or a tab in it, as few of the values in data have.
        or ((" " in value or "\t" in value) and (_has_scheme(value) or "PRIVATE KEY" in value))
    )


def _has_scheme(value: str) -> bool:
    return "earer" in value or "asic" in value or "BEARER" in value or "BASIC" in value


def _has_digits(raw: bytes) -> bool:
    return _CARD_DIGITS in raw.translate(_IS_DIGIT, _GAPS)


def is_open(rule: str, value: Any) -> bool:
    """Says whether a value under a secret key is none: there is nothing, or a mask, to see."""
    if value is None or type(value) is bool:
        return True
    if type(value) in (int, float):
        return rule in ("cookie", "authorization")  # how many there are
    if type(value) is str:
        return _MASK.fullmatch(value) is not None
    return type(value) in (dict, list, tuple) and not value


def secret_after(match: re.Match[str], rule: str, value: str) -> tuple[int, int]:
    """Returns where the value is that comes after a key in a text; (0, 0) where it is no secret."""
    start = match.end()
    if match[2] == ">":
        end = value.find("]]>" if match[0].endswith("[") else "<", start)
        return start, len(value) if end < 0 else end
    quote = _QUOTE.match(value, start)
    if quote:
        body = _QUOTED[quote[2], bool(quote[1])].match(value, quote.end())
        span = body.span() if body else (0, 0)
        return (0, 0) if _PLACEHOLDER.fullmatch(value, *span) else span
    before = value[match.start() - 1 : match.start()]
    special = None
    if rule == "authorization":
        special = _SCHEME.match(value, start)
    elif rule == "cookie":
        special = _COOKIES[before if before in ("'", '"') else ""].match(value, start)
    if not special and _is_prose(value, start, match, rule):
        return 0, 0
    found = special or _CONTAINER.match(value, start) or _BARE.match(value, start)
    return found.span() if found else (0, 0)


def _is_prose(value: str, start: int, key: re.Match[str], rule: str) -> bool:
    """Says whether what comes after a key is a word of a sentence, code, or a placeholder."""
    if _CODE.match(value, start) or _UNSET.match(value, start):
        return True
    found = _WORD.match(value, start)
    word = found[0].lower() if found else ""
    name = key[1].lower()
    return (
        word in (_LITERALS if "=" in key[0] else _PROSE)
        or (word != "" and word.strip("_") == name.rpartition(".")[2].strip("_"))
        or (rule == "cookie" and word.isdigit())
    )


def without_private_keys(value: str) -> str:
    parts: list[str] = []
    done = 0
    for begin in _PEM.finditer(value) if "PRIVATE KEY" in value else ():
        if begin.start() >= done and _PEM_BODY.search(value, begin.end(), begin.end() + 400):
            end = _PEM_END.search(value, begin.end())
            parts += value[done : begin.start()], marker("private_key")
            done = end.end() if end else len(value)
    return "".join(parts) + value[done:]


def without_userinfo(value: str) -> str:
    return _USERINFO.sub(_userinfo, value) if "://" in value and "@" in value else value


def _userinfo(match: re.Match[str]) -> str:
    # A short user name alone, as git@, is no secret; a long one is a token.
    is_secret = ":" in match[1].rstrip(":") or len(match[1]) >= _SHORTEST_TOKEN
    return marker("url") + "@" if is_secret and "[redacted" not in match[1] else match[0]


def without_credentials(value: str) -> str:
    return _BEARER.sub(_credentials, value) if _has_scheme(value) else value


def _credentials(match: re.Match[str]) -> str:
    token = match[2]
    if match[1]:
        is_secret = len(token) >= 2 * _SHORTEST_TOKEN or any(map(str.isdigit, token))
    else:
        try:
            is_secret = b":" in base64.b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            is_secret = False
    return marker("authorization") if is_secret else match[0]


def without_cards(value: str) -> str:
    parts: list[str] = []
    done = 0
    match = _CARD.search(value) if _has_digits(value.encode("utf-8", "replace")) else None
    while match:
        if is_card(match[0]):
            parts += value[done : match.start()], marker("card")
            done = match.end()
        # What is no card may begin with digits that are not part of the one that follows.
        match = _CARD.search(value, max(match.start() + 1, done))
    return "".join(parts) + value[done:]


def is_card(value: str) -> bool:
    """Says whether the digits in ``value`` have an issuer, its length, and a right check digit."""
    digits = "".join(filter(str.isdigit, value))
    if not _ISSUED.fullmatch(digits):
        return False
    backwards = [int(digit) for digit in reversed(digits)]
    return (sum(backwards[::2]) + sum(_DOUBLED[digit] for digit in backwards[1::2])) % 10 == 0
