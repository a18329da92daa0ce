"""The login decision, in the order it is made:

    form of the token -> its life time -> action fits the user -> access key known -> signature -> session token
    -> host and region are this cluster's -> the policy allows the action -> the role exists, may log in and is mapped

`admin` needs DbConnectAdmin and no mapping; every other role needs DbConnect and an AWS IAM GRANT to the key's principal.
An open session outlives its token, but not its mapping: whoever logged in through one gets a Lease, which the gateway
calls at the start of a transaction when the catalog has changed since (nothing else can change a mapping).

Every refusal is FATAL 08006 `unable to accept connection, access denied`; the HINT says why. A role that does not exist,
may not log in, or is not mapped is one answer: it does not tell which names are roles.

Invariants
  A1  nothing of a password is logged; what is logged of a refusal is the user name and the reason.
  A2  what the token's own text says (form, life, action) is answered before any secret is looked at.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from typing import Any

from opendsql.endpoint import Endpoint
from opendsql.errors import DsqlError
from opendsql.gateway.iam.credentials import AccessKey, speaks_for
from opendsql.gateway.iam.files import IamFiles
from opendsql.gateway.iam.token import CONNECT, CONNECT_ADMIN, Token, TokenError, parse
from opendsql.guesses import says

log = logging.getLogger("opendsql.gateway")

ADMIN = "admin"
Lease = Callable[[Any], None]  # called with the newest Catalog; raises DsqlError when the login has lost its ground


def denied(hint: str) -> DsqlError:
    """The refusal of a login."""
    return DsqlError("08006", "unable to accept connection, access denied", hint=hint, severity="FATAL")


class Authenticator:
    """The gateway's login hook.

    Args:
        endpoint: the cluster tokens must name.
        files: access keys and policy.
        clock: seconds since 1970.
    """

    def __init__(self, endpoint: Endpoint, files: IamFiles, clock: Callable[[], float] = time.time) -> None:
        self.endpoint = endpoint
        self.files = files
        self.clock = clock

    def __call__(self, user: str, password: str | None, load_catalog: Callable[[], Any]) -> Lease | None:
        """Admits a user, or raises DsqlError.

        Args:
            load_catalog: gives the newest Catalog; called only when a role must be looked up.

        Returns:
            None for admin; for a mapped role the Lease its session lives under.
        """
        try:
            key = self._verify(user, password or "")
        except TokenError as error:
            log.warning("login of %r refused: %s", user, error)
            raise denied(str(error)) from None
        if user == ADMIN:
            return None

        def lease(catalog: Any) -> None:
            if not is_mapped(catalog, user, key.principal):  # of an open session: guess: iam_revoked
                log.warning("role %r: no AWS IAM GRANT to %s", user, key.principal)
                raise denied(says("iam_no_mapping", user=user))

        lease(load_catalog())
        return lease

    def _verify(self, user: str, password: str) -> AccessKey:
        token = parse(password)
        now = self.clock()
        token.check_time(now)
        if token.action != (CONNECT_ADMIN if user == ADMIN else CONNECT):
            raise TokenError(f"Wrong user to action mapping. user: {user}, action: {token.action}")
        key = self.files.keys.get(token.access_key)
        if key is None:
            raise TokenError(says("iam_unknown_key"))
        if not token.signed_by(key.secret):
            raise TokenError(says("iam_signature"))
        self._check_session_token(token, key, now)
        if not self.endpoint.answers_to(token.host_name):
            raise TokenError(says("iam_host"))
        if token.region != self.endpoint.region:
            raise TokenError(says("iam_region", region=token.region))
        self._authorize(key, f"dsql:{token.action}")
        return key

    @staticmethod
    def _check_session_token(token: Token, key: AccessKey, now: float) -> None:
        given, known = (token.session_token or "").encode(), (key.session_token or "").encode()
        if not hmac.compare_digest(given, known):
            raise TokenError(says("iam_unknown_key"))
        if key.expires_at is not None and now >= key.expires_at:
            raise TokenError(says("iam_key_expired"))

    def _authorize(self, key: AccessKey, action: str) -> None:
        verdict = self.files.policy.decide(key.principal, action, self.endpoint.arn)
        if verdict == "allow":
            return
        if verdict == "silent" and key.account != self.endpoint.account:
            raise TokenError(f"User: {key.principal} is not authorized to access this resource")
        because = says("iam_denied" if verdict == "deny" else "iam_not_allowed", action=action)
        raise TokenError(f"User: {key.principal} is not authorized to perform: {action} on resource: {self.endpoint.arn} {because}")


def trust(user: str, password: str | None, load_catalog: Callable[[], Any]) -> None:
    """The login hook of a server that asks for no token: admin, or a role that exists and may log in."""
    if user == ADMIN:
        return
    role = load_catalog().roles.get(user)
    if role is None or not role.login:
        raise denied(f"There is no role {user} that may log in. Connect as admin, or CREATE ROLE {user} WITH LOGIN.")


def is_mapped(catalog: Any, user: str, principal: str) -> bool:
    """Whether the role exists, may log in and is granted to the principal."""
    role = catalog.roles.get(user)
    if role is None or not role.login:
        return False
    return any(mapping.role_oid == role.oid and speaks_for(principal, mapping.arn) for mapping in catalog.mappings)
