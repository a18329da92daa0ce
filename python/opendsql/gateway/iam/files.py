"""The two files of a server that asks for tokens: access keys and policy.

    DATA/iam/credentials    0600; made with one fresh key pair, profile [default], principal user/default
    DATA/iam/policy.json    made so that every principal of the credentials file may connect to this cluster, as admin too

`serve --credentials FILE --policy FILE` names others; only files in their default place are ever made or written.
A file that changes is read again at the next login. One that cannot be read or obeyed then leaves what was in force in
force, and is reported once; at start it stops the server.

Invariants
  F1  a secret is never logged, and a credentials file is made with mode 0600 from its first byte.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from opendsql.endpoint import Endpoint
from opendsql.errors import OperatorError
from opendsql.gateway.iam.credentials import AccessKey, read_credentials
from opendsql.gateway.iam.policy import Policy, read_policy

log = logging.getLogger("opendsql.gateway")

_BASE32 = string.ascii_uppercase + "234567"
Content = TypeVar("Content")


class Watched(Generic[Content]):
    """A file and what it says, read again when it has changed.

    Args:
        path: the file.
        read: text -> content, or ValueError.

    Raises:
        OperatorError: it cannot be read at first.
    """

    def __init__(self, path: Path, read: Callable[[str], Content]) -> None:
        self.path = path
        self.read = read
        self._mark: Any = self._look()
        try:
            self._content = self._load()
        except (OSError, ValueError) as error:
            raise OperatorError(f"{path}: {_reason(error)}") from None

    def content(self) -> Content:
        """What the file says now; what it said before when it cannot be read or obeyed."""
        mark = self._look()
        if mark != self._mark:
            self._mark = mark
            try:
                self._content = self._load()
                log.warning("read again: %s", self.path)
            except (OSError, ValueError) as error:
                log.warning("%s: %s; what it said before stays in force", self.path, _reason(error))
        return self._content

    def _load(self) -> Content:
        return self.read(self.path.read_text(encoding="utf-8"))

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8"
    return str(error)


class IamFiles:
    """Access keys and policy of one cluster, as its files say at the moment.

    Raises:
        OperatorError: a file is missing or damaged.
    """

    def __init__(self, endpoint: Endpoint, credentials: Path, policy: Path) -> None:
        self._keys: Watched[dict[str, AccessKey]] = Watched(credentials, lambda text: read_credentials(text, endpoint.account))
        self._policy: Watched[Policy] = Watched(policy, read_policy)

    @property
    def keys(self) -> dict[str, AccessKey]:
        """Key pairs by access key."""
        return self._keys.content()

    @property
    def policy(self) -> Policy:
        """Who may connect."""
        return self._policy.content()


def default_credentials(data: Path) -> Path:
    """Where a directory keeps its own access keys."""
    return data / "iam" / "credentials"


def default_policy(data: Path) -> Path:
    """Where a directory keeps its own policy."""
    return data / "iam" / "policy.json"


def prepare(data: Path, endpoint: Endpoint, credentials: Path | None, policy: Path | None) -> tuple[Path, Path, list[str]]:
    """Both paths, the default files made where they are wanted and missing, and what to log about it.

    Raises:
        OperatorError: a file cannot be made, read or obeyed.
    """
    lines = []
    keys_path = credentials or default_credentials(data)
    policy_path = policy or default_policy(data)
    try:
        if credentials is None and not keys_path.exists():
            access_key = _make_credentials(keys_path, endpoint)
            lines.append(f"made {keys_path}: access key {access_key}, profile [default]")
        if policy is None and not policy_path.exists():
            text = keys_path.read_text(encoding="utf-8")
            principals = sorted({key.principal for key in read_credentials(text, endpoint.account).values()})
            _make_policy(policy_path, endpoint, principals)
            lines.append(f"made {policy_path}: {', '.join(principals) or 'nobody'} may connect, as admin too")
    except OSError as error:
        raise OperatorError(f"{error.filename or keys_path}: {error.strerror}") from None
    except ValueError as error:
        raise OperatorError(f"{keys_path}: {_reason(error)}") from None
    IamFiles(endpoint, keys_path, policy_path)
    return keys_path, policy_path, lines


def _make_credentials(path: Path, endpoint: Endpoint) -> str:
    access_key = "ODSQ" + "".join(secrets.choice(_BASE32) for _ in range(16))
    text = (
        "# Made by opendsql. AWS's SDKs read it too: AWS_SHARED_CREDENTIALS_FILE=<this file>\n"
        "[default]\n"
        f"aws_access_key_id = {access_key}\n"
        f"aws_secret_access_key = {secrets.token_urlsafe(30)}\n"
        f"principal_arn = arn:aws:iam::{endpoint.account}:user/default\n"
    )
    _write(path, text, 0o600)
    return access_key


def _make_policy(path: Path, endpoint: Endpoint, principals: list[str]) -> None:
    statement = {
        "Sid": "Connect",
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": ["dsql:DbConnect", "dsql:DbConnectAdmin"],
        "Resource": endpoint.arn,
    }
    found = {"Version": "2012-10-17", "Statement": [statement] if principals else []}
    _write(path, json.dumps(found, indent=2) + "\n", 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    # F1; the name appears with its whole content.
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
