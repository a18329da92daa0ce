"""An authentication token: a SigV4 presigned GET URL whose `https://` is cut off.

    <host>[:port]/?Action=DbConnect[Admin]&X-Amz-Algorithm=AWS4-HMAC-SHA256
        &X-Amz-Credential=<access key>%2F<yyyymmdd>%2F<region>%2Fdsql%2Faws4_request
        &X-Amz-Date=<yyyymmdd>T<hhmmss>Z&X-Amz-Expires=<seconds>&X-Amz-SignedHeaders=host
        [&X-Amz-Security-Token=<token>]&X-Amz-Signature=<64 hexadecimal digits>

    parse(text)             Token, or TokenError: form only
    Token.signed_by(secret) whether that secret key made the signature
    Token.check_time(now)   TokenError when it is not valid now
    make_token(...)         what AWS's SDKs make

What is the same token: SigV4 signs the pairs in sorted order and the host in lower case without `:443`, so another order
of the pairs, another case of the host and an added or removed `:443` carry the same signature and are the same token.
Everything else - one byte, one pair more or less, another way to write the same byte (`%2f`, `+`, an encoded letter) -
is another text and is refused. A pair SigV4 does not name is allowed, as it is signed with the rest; none may come twice.

Invariants
  T1  pairs are never decoded and encoded again: what is signed is what was sent, in the one spelling SigV4 knows.
  T2  signatures are compared in constant time, and every spelling of the host is tried whatever the first one said.
  T3  no error and no representation of a Token contains the token, its signature or a secret.

Sources: SigV4's specification (canonical request, string to sign, signing key) and both of AWS's signers, executed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from opendsql import limits
from opendsql.guesses import says

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "dsql"
TERMINATOR = "aws4_request"
CONNECT = "DbConnect"
CONNECT_ADMIN = "DbConnectAdmin"
REQUIRED = (
    "Action", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
)  # fmt: skip

_EMPTY_PAYLOAD = hashlib.sha256(b"").hexdigest()
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})(:[0-9]{1,5})?")
# The one spelling SigV4 knows: unreserved characters as they are, every other byte as %XX in capitals.
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~-]|%(?!2D|2E|5F|7E|3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A])[0-9A-F]{2})*")
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class TokenError(Exception):
    """A token that is not accepted; the text is the HINT a client sees."""


@dataclass(frozen=True, slots=True)
class Token:
    """A well-formed token, not yet believed.

    Args:
        host: as written, port included.
        action: DbConnect or DbConnectAdmin.
        access_key, day, region: parts of the credential scope.
        date, expires_s: from when, and for how many seconds it is valid (not yet checked).
        session_token: X-Amz-Security-Token decoded, None without one.
    """

    host: str
    action: str
    access_key: str
    day: str
    region: str
    date: datetime
    expires_s: int
    session_token: str | None = field(repr=False)
    canonical_query: str = field(repr=False)
    signature: str = field(repr=False)

    @property
    def host_name(self) -> str:
        """The host without its port, in lower case."""
        return self.host.partition(":")[0].lower()

    def signed_by(self, secret: str) -> bool:
        """Whether the secret key made this signature (T2)."""
        lowered = self.host.lower()
        canonical = lowered.removesuffix(":443")
        scope = (self.day, self.region)
        matches = False
        for host in (canonical, self.host):
            wanted = _signature(secret, host, self.canonical_query, stamp(self.date), scope)
            matches |= hmac.compare_digest(wanted, self.signature)
        return matches

    def check_time(self, now: float) -> None:
        """TokenError unless 1 <= lifetime <= a week, and `now` (seconds since 1970) lies in it; clocks may differ by 5 minutes."""
        if self.expires_s < 0:
            raise TokenError(says("iam_expires_negative"))
        if self.expires_s < 1 or self.expires_s > limits.TOKEN_LIFETIME_S_MAX:
            raise TokenError(says("iam_expires_range", most=limits.TOKEN_LIFETIME_S_MAX))
        begun = self.date.timestamp()
        if now < begun - limits.TOKEN_SKEW_S:
            later = stamp(datetime.fromtimestamp(now + limits.TOKEN_SKEW_S, UTC))
            text = says(
                "iam_not_current", date=stamp(self.date), limit=later, now=stamp(datetime.fromtimestamp(now, UTC)),
                minutes=limits.TOKEN_SKEW_S // 60,
            )  # fmt: skip
            raise TokenError(text)
        if now > begun + self.expires_s:
            now_text = stamp(datetime.fromtimestamp(now, UTC))
            limit = stamp(datetime.fromtimestamp(now - self.expires_s, UTC))
            life = f"{self.expires_s // 60} min." if self.expires_s % 60 == 0 else f"{self.expires_s} sec."
            raise TokenError(f"Signature expired: {stamp(self.date)} is now earlier than {limit} ({now_text} - {life})")


def stamp(moment: datetime) -> str:
    """A moment as X-Amz-Date writes it."""
    return moment.strftime("%Y%m%dT%H%M%SZ")


def parse(text: str) -> Token:
    """The token of a password.

    Raises:
        TokenError: it is not one, or a part is missing, doubled or not in its form.
    """
    if len(text) > limits.PASSWORD_BYTES_MAX or not text.isascii():
        raise TokenError(says("iam_not_a_token"))
    host, slash, query = text.partition("/?")
    if not slash or not _HOST.fullmatch(host):
        raise TokenError(says("iam_not_a_token"))
    pairs = _pairs(query)
    for name in REQUIRED:
        if name not in pairs:
            raise TokenError(says("iam_missing_field", name=name))
    for name, wanted in (("X-Amz-Algorithm", (ALGORITHM,)), ("Action", (CONNECT, CONNECT_ADMIN)), ("X-Amz-SignedHeaders", ("host",))):
        if pairs[name] not in wanted:
            raise TokenError(says("iam_bad_field", name=name))
    date = _date(pairs["X-Amz-Date"])
    access_key, day, region = _scope(pairs["X-Amz-Credential"], pairs["X-Amz-Date"])
    if not _NUMBER.fullmatch(pairs["X-Amz-Expires"]):
        raise TokenError(says("iam_bad_field", name="X-Amz-Expires"))
    if not _SIGNATURE.fullmatch(pairs["X-Amz-Signature"]):
        raise TokenError(says("iam_signature"))
    session_token = pairs.get("X-Amz-Security-Token")
    return Token(
        host, pairs["Action"], access_key, day, region, date, int(pairs["X-Amz-Expires"]),
        None if session_token is None else unquote(session_token),
        "&".join(f"{name}={value}" for name, value in sorted(pairs.items()) if name != "X-Amz-Signature"),
        pairs["X-Amz-Signature"],
    )  # fmt: skip


def _pairs(query: str) -> dict[str, str]:
    # T1: raw text by raw name.
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        if not equals or not name or not _ENCODED.fullmatch(name) or not _ENCODED.fullmatch(value):
            raise TokenError(says("iam_not_a_token"))
        if name in found:
            raise TokenError(says("iam_bad_field", name=name) if name in REQUIRED else says("iam_not_a_token"))
        found[name] = value
    return found


def _date(text: str) -> datetime:
    if _DATE.fullmatch(text):
        try:
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            pass
    raise TokenError(says("iam_bad_field", name="X-Amz-Date"))


def _scope(credential: str, date: str) -> tuple[str, str, str]:
    # Access key, day, region.
    parts = credential.split("%2F")
    if len(parts) != 5 or not all(re.fullmatch(r"[A-Za-z0-9_-]{1,128}", part) for part in parts):
        raise TokenError(says("iam_bad_field", name="X-Amz-Credential"))
    access_key, day, region, service, terminator = parts
    if service != SERVICE:
        raise TokenError(says("iam_service", service=SERVICE))
    if terminator != TERMINATOR:
        raise TokenError(says("iam_bad_field", name="X-Amz-Credential"))
    if day != date[:8]:
        raise TokenError(says("iam_scope_day", day=day, want=date[:8], date=date))
    return access_key, day, region


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _signature(secret: str, host: str, canonical_query: str, date: str, scope: tuple[str, str]) -> str:
    day, region = scope
    request = f"GET\n/\n{canonical_query}\nhost:{host}\n\nhost\n{_EMPTY_PAYLOAD}"
    to_sign = f"{ALGORITHM}\n{date}\n{day}/{region}/{SERVICE}/{TERMINATOR}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = _mac(f"AWS4{secret}".encode(), day)
    for part in (region, SERVICE, TERMINATOR):
        key = _mac(key, part)
    return _mac(key, to_sign).hex()


def make_token(
    host: str,
    region: str,
    action: str,
    access_key: str,
    secret: str,
    *,
    now: float,
    expires_s: int = 900,
    session_token: str | None = None,
) -> str:
    """A token as botocore writes it.

    Args:
        host: name, with port when it is not 443; signed in lower case.
        action: DbConnect or DbConnectAdmin.
        now: seconds since 1970: the beginning of its life.
        expires_s: length of its life; any number is signed, 1 to 604,800 are accepted.
    """
    date = stamp(datetime.fromtimestamp(now, UTC))
    scope = (date[:8], region)
    pairs = [
        ("Action", action),
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{access_key}/{date[:8]}/{region}/{SERVICE}/{TERMINATOR}"),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(expires_s)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    if session_token is not None:
        pairs.append(("X-Amz-Security-Token", session_token))
    encoded = [(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs]
    canonical = "&".join(f"{name}={value}" for name, value in sorted(encoded))
    signature = _signature(secret, host.lower().removesuffix(":443"), canonical, date, scope)
    return f"{host}/?" + "&".join(f"{name}={value}" for name, value in [*encoded, ("X-Amz-Signature", signature)])
