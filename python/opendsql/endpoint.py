"""Who this cluster is to its clients: identifier, region, account, host names, ARN.

    Endpoint.of(directory, region=..., account=..., host_names=...)   at `serve`: made once, kept in DATA/cluster.json
    Endpoint.read(directory)                                          of a directory that exists: token, status

The identifier is made once and never changes. Region, account and host names are what `serve` was last told; what it is
not told stays as it was.
"""

from __future__ import annotations

import base64
import json
import os
import re
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from opendsql.errors import OperatorError

FILE = "cluster.json"
REGION = "us-east-1"
ACCOUNT = "123456789012"
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = re.compile(rf"{LABEL}(\.{LABEL})*")


def new_cluster_id() -> str:
    """26 characters a-z, 2-7: the base32 text of a fresh UUID."""
    return base64.b32encode(uuid.uuid4().bytes).decode().rstrip("=").lower()


def fold_host(host: str) -> str:
    """A host name as names are compared: lower case, no trailing dot."""
    return host.lower().removesuffix(".")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The identity of one cluster.

    Args:
        cluster_id: 26 characters a-z, 0-9.
        region: as in host name and ARN.
        account: twelve digits.
        host_names: further names it answers to, beside `host`.

    Raises:
        OperatorError: a part does not have the form of its kind.
    """

    cluster_id: str
    region: str = REGION
    account: str = ACCOUNT
    host_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]{26}", self.cluster_id):
            raise OperatorError(f"cluster id {self.cluster_id!r}: 26 characters of a-z and 0-9 expected")
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]+", self.region):
            raise OperatorError(f"region {self.region!r}: a name such as {REGION} expected")
        if not re.fullmatch(r"[0-9]{12}", self.account):
            raise OperatorError(f"account {self.account!r}: twelve digits expected")
        object.__setattr__(self, "host_names", tuple(dict.fromkeys(fold_host(name) for name in self.host_names)))
        for name in self.host_names:
            if len(name) > 253 or not HOST_NAME.fullmatch(name):
                raise OperatorError(f"host name {name!r}: letters, digits, '-' and '.' expected")

    @property
    def host(self) -> str:
        """The cluster's own host name."""
        return f"{self.cluster_id}.dsql.{self.region}.on.aws"

    @property
    def arn(self) -> str:
        """The cluster's Amazon resource name."""
        return f"arn:aws:dsql:{self.region}:{self.account}:cluster/{self.cluster_id}"

    @property
    def names(self) -> tuple[str, ...]:
        """Every host name the cluster answers to, its own first."""
        return (self.host, *(name for name in self.host_names if name != self.host))

    def answers_to(self, host: str) -> bool:
        """Whether that host name (any case, without port) is this cluster's."""
        return fold_host(host) in self.names

    @classmethod
    def read(cls, directory: Path) -> Endpoint:
        """The endpoint of a data directory that has been served.

        Raises:
            OperatorError: the file is missing or damaged.
        """
        path = directory / FILE
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(found["cluster_id"]), str(found["region"]), str(found["account"]), tuple(map(str, found["host_names"])))
        except OSError as error:
            raise OperatorError(f"{path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise OperatorError(f"{path}: is damaged") from None

    @classmethod
    def of(
        cls, directory: Path, *, region: str | None = None, account: str | None = None, host_names: Sequence[str] | None = None
    ) -> Endpoint:
        """The endpoint of an open data directory, made at its first start; what is given replaces what was kept."""
        known = (directory / FILE).exists()
        kept = cls.read(directory) if known else cls(new_cluster_id())
        wanted = cls(
            kept.cluster_id,
            kept.region if region is None else region,
            kept.account if account is None else account,
            tuple(host_names) if host_names else kept.host_names,
        )
        if wanted != kept or not known:
            wanted.write(directory)
        return wanted

    def write(self, directory: Path) -> None:
        """Keeps it, in one durable step."""
        temporary = directory / (FILE + ".new")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(directory / FILE)
