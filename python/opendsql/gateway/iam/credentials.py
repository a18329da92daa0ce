"""Access keys in the format of AWS's credentials file, so that one file serves the server, `opendsql token` and AWS's SDKs.

    [default]
    aws_access_key_id = ODSQ...
    aws_secret_access_key = ...
    aws_session_token = ...                              temporary keys only: a token must carry it
    expiration = 2026-11-28T12:00:00Z                    temporary keys only: the key is worth nothing from then on
    principal_arn = arn:aws:iam::123456789012:user/ann   ours: whom the key belongs to; SDKs pass over it

Without principal_arn a key belongs to `user/<profile>` of the cluster's account. One access key may stand in one profile
only. Other names of the format (region, output, role_arn, ...) are passed over.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

PRINCIPAL = re.compile(
    r"arn:aws[a-z-]*:(?:iam::[0-9]{12}:(?:root|user/[!-~]{1,576}|role/[!-~]{1,576})"
    r"|sts::[0-9]{12}:assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{1,64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key pair and its owner."""

    profile: str
    access_key: str
    secret: str = field(repr=False)
    principal: str
    session_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None  # seconds since 1970

    @property
    def account(self) -> str:
        """Twelve digits: the principal's account."""
        return self.principal.split(":")[4]


def read_credentials(text: str, account: str) -> dict[str, AccessKey]:
    """Key pairs by access key.

    Args:
        text: a credentials file.
        account: twelve digits, of principals the file does not name.

    Raises:
        ValueError: the text is not such a file; the reason names the profile, never a secret.
    """
    parser = configparser.RawConfigParser(default_section="\0")
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        raise ValueError(f"line {error.lineno}: a [profile] must come first") from None
    except configparser.DuplicateSectionError as error:
        raise ValueError(f"line {error.lineno}: profile [{error.section}] comes twice") from None
    except configparser.DuplicateOptionError as error:
        raise ValueError(f"line {error.lineno}: {error.option} comes twice in [{error.section}]") from None
    except configparser.ParsingError as error:
        raise ValueError(f"line {error.errors[0][0]}: `name = value` expected") from None
    keys: dict[str, AccessKey] = {}
    for profile in parser.sections():
        key = _key(profile, dict(parser.items(profile)), account)
        if key is None:
            continue
        if key.access_key in keys:
            raise ValueError(f"profiles [{keys[key.access_key].profile}] and [{profile}] have the same access key")
        keys[key.access_key] = key
    return keys


def _key(profile: str, values: dict[str, str], account: str) -> AccessKey | None:
    access_key = values.get("aws_access_key_id", "").strip()
    secret = values.get("aws_secret_access_key", "").strip()
    if not access_key and not secret:
        return None
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", access_key):
        raise ValueError(f"profile [{profile}]: aws_access_key_id is missing or not letters and digits")
    if not secret:
        raise ValueError(f"profile [{profile}]: aws_secret_access_key is missing")
    principal = values.get("principal_arn", "").strip() or f"arn:aws:iam::{account}:user/{profile.replace(' ', '-')}"
    if not PRINCIPAL.fullmatch(principal):
        raise ValueError(f"profile [{profile}]: principal_arn {principal} is not the ARN of a user, a role or an assumed role")
    return AccessKey(
        profile, access_key, secret, principal, values.get("aws_session_token", "").strip() or None,
        _moment(profile, values.get("expiration", "").strip()),
    )  # fmt: skip


def _moment(profile: str, text: str) -> float | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"profile [{profile}]: expiration {text} is not an ISO 8601 time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def role_of_session(principal: str) -> tuple[str, str] | None:
    """(account, role name) of an assumed role's session ARN, else None."""
    match = re.fullmatch(r"arn:aws[a-z-]*:sts::([0-9]{12}):assumed-role/([^/]+)/[^/]+", principal)
    return (match[1], match[2]) if match else None


def speaks_for(principal: str, arn: str) -> bool:
    """Whether the principal is the one the ARN names: the same, or a session of that role (whose ARN has lost the role's path)."""
    if principal == arn:
        return True
    session = role_of_session(principal)
    match = re.fullmatch(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/(?:.*/)?([^/]+)", arn)
    return session is not None and match is not None and session == (match[1], match[2])
