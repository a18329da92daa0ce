"""`opendsql token`: a token for a cluster, made from access keys where AWS's own tools look for them too.

Keys come from the first of: --credentials FILE; DATA/iam/credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with
AWS_SESSION_TOKEN); AWS_SHARED_CREDENTIALS_FILE; ~/.aws/credentials. Signing needs no network.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from opendsql.endpoint import ACCOUNT, Endpoint
from opendsql.errors import OperatorError
from opendsql.gateway.iam.authenticator import ADMIN
from opendsql.gateway.iam.credentials import AccessKey, read_credentials
from opendsql.gateway.iam.files import default_credentials
from opendsql.gateway.iam.token import CONNECT, CONNECT_ADMIN, make_token


def issue(
    data: Path,
    *,
    host_name: str | None = None,
    region: str | None = None,
    user: str = ADMIN,
    expires_s: int = 900,
    credentials: Path | None = None,
    profile: str | None = None,
) -> str:
    """A token for `user`.

    Args:
        data: the cluster's data directory; not read when host_name is given and keys are found elsewhere.
        host_name: sign for this host instead of the directory's cluster.
        region: of the signature; by default the cluster's, or the one in the host name.

    Raises:
        OperatorError: no keys, no such profile, no such cluster, or no region.
    """
    if host_name is None:
        endpoint = Endpoint.read(data)
        host_name, region = endpoint.host, region or endpoint.region
    elif region is None:
        match = re.fullmatch(r"[^.]+\.dsql[^.]*\.([a-z0-9-]+)\.on\.aws(:[0-9]+)?", host_name)
        if match is None:
            raise OperatorError(f"no region can be read from {host_name}: give --region")
        region = match[1]
    key = _key(data, credentials, profile)
    action = CONNECT_ADMIN if user == ADMIN else CONNECT
    return make_token(
        host_name, region, action, key.access_key, key.secret, now=time.time(), expires_s=expires_s, session_token=key.session_token
    )


def _key(data: Path, credentials: Path | None, profile: str | None) -> AccessKey:
    path = credentials or default_credentials(data)
    if credentials is None and not path.exists():
        found = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if profile is None and found[0] and found[1]:
            return AccessKey("environment", found[0], found[1], "", os.environ.get("AWS_SESSION_TOKEN") or None)
        path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    try:
        keys = read_credentials(path.read_text(encoding="utf-8"), ACCOUNT)
    except OSError as error:
        raise OperatorError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise OperatorError(f"{path}: {error}") from None
    wanted = profile or "default"
    for key in keys.values():
        if key.profile == wanted:
            return key
    raise OperatorError(f"{path}: no access key in profile [{wanted}]")
