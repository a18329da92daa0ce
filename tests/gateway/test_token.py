"""Tokens against botocore as the oracle, and ten thousand mutations of valid ones."""

from __future__ import annotations

import functools
import random
import string
from datetime import UTC, datetime
from unittest import mock

import botocore.auth
import botocore.session
import pytest
from opendsql.gateway.iam import token as tokens
from opendsql.gateway.iam.token import Token, TokenError, make_token, parse

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = "ODSQEXAMPLE234567ABC"
HOST = "abcdefghijklmnopqrstuvwxyz.dsql.us-east-1.on.aws"
NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
SESSION = "IQoJb3JpZ2luX2VjE+/==" * 20


@functools.cache
def dsql_client(session: str | None):
    """botocore's client with the test's keys."""
    client_session = botocore.session.Session()
    client_session.set_credentials(KEY, SECRET, session)
    return client_session.create_client("dsql", region_name="us-east-1")


def botocore_token(host: str = HOST, *, admin: bool = True, expires: int = 900, session: str | None = None) -> str:
    """What AWS's SDK makes at NOW."""
    client = dsql_client(session)
    make = client.generate_db_connect_admin_auth_token if admin else client.generate_db_connect_auth_token
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: NOW.replace(tzinfo=None)):
        return make(Hostname=host, ExpiresIn=expires)


def accepted(text: str) -> Token | None:
    """What the verifier makes of a text, at NOW; None when it is refused."""
    try:
        token = parse(text)
        token.check_time(NOW.timestamp())
    except TokenError:
        return None
    return token if token.signed_by(SECRET) else None


@pytest.mark.parametrize("session", [None, SESSION])
@pytest.mark.parametrize("admin", [True, False])
@pytest.mark.parametrize("host", [HOST, HOST.upper(), f"{HOST}:5432", f"{HOST}:443", "localhost", "localhost:15432", "127.0.0.1"])
def test_same_as_botocore(host: str, admin: bool, session: str | None) -> None:
    """Byte for byte the same token, and it verifies."""
    theirs = botocore_token(host, admin=admin, session=session)
    action = "DbConnectAdmin" if admin else "DbConnect"
    assert make_token(host, "us-east-1", action, KEY, SECRET, now=NOW.timestamp(), session_token=session) == theirs
    found = accepted(theirs)
    assert found is not None
    assert (found.action, found.access_key, found.region, found.session_token) == (action, KEY, "us-east-1", session)
    assert found.host_name == host.lower().partition(":")[0]


@pytest.mark.parametrize(("seconds", "good"), [(0, False), (1, True), (900, True), (604_800, True), (604_801, False), (-1, False)])
def test_lifetimes(seconds: int, good: bool) -> None:
    """botocore signs them all; 1 to 604,800 are tokens."""
    assert (accepted(botocore_token(expires=seconds)) is not None) == good


@pytest.mark.parametrize("expires", [1, 900, 604_800])
def test_clock(expires: int) -> None:
    """Five minutes early at most, the last second inclusive."""
    token = parse(botocore_token(expires=expires))
    at = NOW.timestamp()
    for moment in (at - 300, at, at + expires):
        token.check_time(moment)
    with pytest.raises(TokenError, match=r"^Signature not yet current: 20261128T120000Z is still later than 20261128T115959Z \(.* \+ 5 min\.\)"):
        token.check_time(at - 301)
    with pytest.raises(TokenError, match=r"^Signature expired: 20261128T120000Z is now earlier than 20261128T120001Z \("):
        token.check_time(at + expires + 1)


def test_expired_text() -> None:
    """The documented sentence."""
    with pytest.raises(TokenError) as caught:
        parse(botocore_token()).check_time(NOW.timestamp() + 960)
    wanted = "Signature expired: 20261128T120000Z is now earlier than 20261128T120100Z (20261128T121600Z - 15 min.)"
    assert str(caught.value) == wanted


def test_signers_that_keep_the_case() -> None:
    """js-signer signs the host as it is given."""
    host = "ABC.dsql.us-east-1.on.aws"
    token = make_token(host, "us-east-1", "DbConnect", KEY, SECRET, now=NOW.timestamp())
    body = parse(token)
    kept = tokens._signature(SECRET, host, body.canonical_query, "20261128T120000Z", ("20261128", "us-east-1"))
    assert kept != body.signature
    assert accepted(token.replace(body.signature, kept)) is not None


def test_comparison_is_constant_time_and_complete() -> None:
    """Both spellings of the host are compared, by hmac.compare_digest, whatever the first comparison said (T2)."""
    token = parse(botocore_token())
    with mock.patch.object(tokens.hmac, "compare_digest", wraps=tokens.hmac.compare_digest) as compare:
        assert token.signed_by(SECRET)
        assert not token.signed_by(SECRET + "x")
    assert compare.call_count == 4
    assert all(token.signature in call.args for call in compare.call_args_list)


def test_nothing_is_told() -> None:
    """T3: neither the representation nor an error holds the signature, the session token or the secret."""
    text = botocore_token(session=SESSION)
    token = parse(text)
    shown = repr(token)
    for secret in (token.signature, SESSION, token.canonical_query, SECRET):
        assert secret not in shown
    with pytest.raises(TokenError) as caught:
        parse(text + "&secretword=1&secretword=2")
    assert "secretword" not in str(caught.value)


# -- mutations ---------------------------------------------------------------------------------------------------------

ALPHABET = string.ascii_letters + string.digits + "-._~%&=/?:+* \t\n\0\x7fé漢"


def same_token(text: str, origin: str) -> bool:
    """Whether SigV4 sees the same request: pairs as a set, host in lower case without :443 (see the module)."""
    host, _, query = text.partition("/?")
    origin_host, _, origin_query = origin.partition("/?")
    return sorted(query.split("&")) == sorted(origin_query.split("&")) and (
        host.lower().removesuffix(":443") == origin_host.lower().removesuffix(":443")
    )


def every_byte(text: str, rng: random.Random) -> list[str]:
    """Each byte replaced, dropped, doubled; one inserted before it."""
    found = []
    for at, letter in enumerate(text):
        other = rng.choice([c for c in ALPHABET if c != letter])
        found += [text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + letter + text[at:]]
        found += [text[:at] + rng.choice(ALPHABET) + text[at:], text[:at] + letter.swapcase() + text[at + 1 :]]
    return found


def every_field(text: str, rng: random.Random) -> list[str]:
    """Fields dropped, doubled (same and other value), emptied, renamed, exchanged, in every order, cut anywhere."""
    host, _, query = text.partition("/?")
    pairs = query.split("&")
    found = []
    for at, pair in enumerate(pairs):
        name, _, value = pair.partition("=")
        rest = pairs[:at] + pairs[at + 1 :]
        variants = [
            rest, [*pairs, pair], [pair, *pairs], [*pairs, f"{name}=other"], [*rest, name], [*rest, f"{name}="], [*rest, f"={value}"],
            [*rest, f"{name.lower()}={value}"], [*rest, f"{name.upper()}={value}"], [*rest, f"{name}={value}="], [*rest, f"{name}={value[::-1]}"],
            [*pairs, f"{name.lower()}={value}"], [*rest, f"%{ord(name[0]):02X}{name[1:]}={value}"], [*rest, f"{name}=%00{value}"],
        ]  # fmt: skip
        for other in range(len(pairs)):
            swapped = [p.partition("=")[0] for p in pairs]
            swapped[at], swapped[other] = swapped[other], swapped[at]
            variants.append([f"{n}={p.partition('=')[2]}" for n, p in zip(swapped, pairs, strict=True)])
        for _ in range(20):
            letter = rng.randrange(len(value)) if value else 0
            encoded = f"%{ord(value[letter]):02X}" if value else "%20"
            variants.append([*rest, f"{name}={value[:letter]}{encoded}{value[letter + 1:]}"])
            variants.append([*rest, f"{name}={value[:letter]}{encoded.lower()}{value[letter + 1:]}"])
        found += [f"{host}/?{'&'.join(v)}" for v in variants]
    for _ in range(200):
        rng.shuffle(pairs)
        found.append(f"{host}/?{'&'.join(pairs)}")
    for variant in (f"https://{text}", f"{host}:443/?{query}", f"{host}:80/?{query}", f"{host.upper()}/?{query}", f"{host}/{query}",
                    f"{host}//?{query}", f"{host}/?&{query}", f"{host}/?{query}&", f"{host}/?{query}#", f"{host}?{query}", f"/?{query}",
                    query, host, "", "/?", "&", "=", f"{host}/?{query}/?{query}", text * 2, text.lower(), text.upper(), text.replace("%2F", "/"),
                    text.replace("%2F", "%2f"), text.replace("%2F", "%252F"), text.replace("&", ";"), text.replace("&", "&amp;"), f" {text}",
                    f"{text} ", f"{text}\n", f"{host}./?{query}", f"x{text}", f"{host}:0443/?{query}", f"{host}:443:443/?{query}"):
        found.append(variant)
    found += [text[:at] for at in range(0, len(text), 3)] + [text[at:] for at in range(1, len(text), 3)]
    return found


def test_ten_thousand_mutations() -> None:
    """None is accepted but the ones that are the same token to SigV4, all of which are; none crashes."""
    rng = random.Random(20261128)
    origins = [botocore_token(), botocore_token(admin=False, session=SESSION[:200]), botocore_token(f"{HOST.upper()}:443", expires=604_800)]
    host, _, query = botocore_token().partition("/?")
    origins.append(f"{host}/?{'&'.join(sorted(query.split('&')))}")  # js-signer's order
    tried = same = 0
    for origin in origins:
        for mutation in [*every_byte(origin, rng), *every_field(origin, rng)]:
            tried += 1
            verdict = accepted(mutation) is not None
            assert verdict == same_token(mutation, origin), mutation
            same += verdict
    print(f"{tried} mutations, {same} of them the same token")
    assert tried >= 10_000
    assert same > 300


def test_random_texts() -> None:
    """Whatever a client sends as a password is refused by TokenError, not by another exception."""
    rng = random.Random(7)
    pieces = [*tokens.REQUIRED, "=", "&", "/?", "%2F", "AWS4-HMAC-SHA256", "20261128T120000Z", "99999999T999999Z", "host", "dsql", "0", "\0", "é"]
    for _ in range(5_000):
        assert accepted("".join(rng.choice(pieces) for _ in range(rng.randrange(40)))) is None
    assert accepted("x" * 100_000) is None
    assert accepted(botocore_token() + "&x=" + "y" * 20_000) is None
