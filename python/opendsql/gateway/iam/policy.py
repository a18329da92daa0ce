"""Who may connect: a policy in IAM's own JSON.

    {"Version": "2012-10-17",
     "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/ann"},
                    "Action": ["dsql:DbConnect", "dsql:DbConnectAdmin"],
                    "Resource": "arn:aws:dsql:us-east-1:123456789012:cluster/*"}]}

Effect is Allow or Deny. Principal is "*", {"AWS": one or a list of} the ARN of a user, a role or an assumed role, or an
account (its root ARN or its twelve digits: everyone in it). Action and Resource are one or a list of patterns with * and
?; actions are compared without regard to case. Sid and Id are passed over. What is not read here - NotPrincipal,
NotAction, NotResource, Condition - is refused when the file is read: a rule that is not understood must not be half obeyed.

Invariants
  P1  a Deny that applies wins over every Allow; without an Allow the answer is no.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from opendsql.gateway.iam.credentials import PRINCIPAL, speaks_for

VERSIONS = ("2012-10-17", "2008-10-17")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; principals is None for everybody."""

    allows: bool
    principals: tuple[str, ...] | None
    actions: tuple[re.Pattern[str], ...]
    resources: tuple[re.Pattern[str], ...]

    def applies(self, principal: str, action: str, resource: str) -> bool:
        """Whether the statement speaks about that request."""
        return (
            (self.principals is None or any(_is_named(principal, one) for one in self.principals))
            and any(pattern.fullmatch(action) for pattern in self.actions)
            and any(pattern.fullmatch(resource) for pattern in self.resources)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """The statements of one file."""

    statements: tuple[Statement, ...]

    def decide(self, principal: str, action: str, resource: str) -> str:
        """`allow`, `deny` (a statement says so) or `silent` (none allows it) (P1).

        Args:
            principal: ARN of the user, role or assumed role.
            action: such as dsql:DbConnect.
            resource: the cluster's ARN.
        """
        applying = [statement for statement in self.statements if statement.applies(principal, action, resource)]
        if not all(statement.allows for statement in applying):
            return "deny"
        return "allow" if applying else "silent"


def _is_named(principal: str, one: str) -> bool:
    if one.isdigit():
        return principal.split(":")[4] == one
    return speaks_for(principal, one)


def read_policy(text: str) -> Policy:
    """The policy of a file.

    Raises:
        ValueError: it is not JSON, or not a policy this module can obey; the reason names the statement.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("not a policy: nested too deep") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("a policy is a JSON object")
    unknown = set(found) - {"Version", "Id", "Statement"}
    if unknown:
        raise ValueError(f"{min(unknown)} is not an element of a policy")
    if found.get("Version", VERSIONS[0]) not in VERSIONS:
        raise ValueError(f"Version must be {VERSIONS[0]}")
    if "Statement" not in found:
        raise ValueError("Statement is missing")
    statements = found["Statement"] if isinstance(found["Statement"], list) else [found["Statement"]]
    return Policy(tuple(_statement(number, one) for number, one in enumerate(statements, 1)))


def _statement(number: int, found: Any) -> Statement:
    where = f"statement {number}"
    if not isinstance(found, dict):
        raise ValueError(f"{where}: a JSON object expected")
    for name in ("NotPrincipal", "NotAction", "NotResource", "Condition"):
        if name in found:
            raise ValueError(f"{where}: {name} is not supported")
    unknown = set(found) - {"Sid", "Effect", "Principal", "Action", "Resource"}
    if unknown:
        raise ValueError(f"{where}: {min(unknown)} is not an element of a statement")
    for name in ("Effect", "Principal", "Action", "Resource"):
        if name not in found:
            raise ValueError(f"{where}: {name} is missing")
    if found["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"{where}: Effect must be Allow or Deny")
    actions = _texts(where, "Action", found["Action"])
    for action in actions:
        if action != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            raise ValueError(f"{where}: Action {action!r} is not of the form service:action")
    resources = _texts(where, "Resource", found["Resource"])
    for resource in resources:
        if resource != "*" and not re.fullmatch(r"arn:[!-~]+", resource):
            raise ValueError(f"{where}: Resource {resource!r} is neither an ARN nor *")
    return Statement(
        found["Effect"] == "Allow",
        _principals(where, found["Principal"]),
        tuple(_pattern(action, re.IGNORECASE) for action in actions),
        tuple(_pattern(resource) for resource in resources),
    )


def _principals(where: str, found: Any) -> tuple[str, ...] | None:
    if found == "*":
        return None
    if not isinstance(found, dict) or set(found) != {"AWS"}:
        raise ValueError(f'{where}: Principal must be "*" or {{"AWS": ...}}')
    named = []
    for one in _texts(where, "Principal", found["AWS"]):
        if one == "*":
            return None
        root = re.fullmatch(r"(?:arn:aws[a-z-]*:iam::)?([0-9]{12})(?::root)?", one)
        if root and one.startswith("arn:") == one.endswith(":root"):
            named.append(root[1])
        elif PRINCIPAL.fullmatch(one) and "*" not in one and "?" not in one:
            named.append(one)
        else:
            raise ValueError(f"{where}: Principal {one!r} is not the ARN of a user, a role, an assumed role or an account")
    return tuple(named)


def _texts(where: str, name: str, found: Any) -> list[str]:
    texts = found if isinstance(found, list) else [found]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"{where}: {name} must be a text or a list of texts")
    return texts


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    # * any characters, ? one; runs of * are one, so that matching takes no exponential time.
    parts = re.split(r"(\*+|\?)", text)
    translated = "".join(".*" if part.startswith("*") else "." if part == "?" else re.escape(part) for part in parts)
    return re.compile(translated, flags | re.DOTALL)
