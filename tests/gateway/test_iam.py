"""Access keys, policies, their files, and the login decision, case by case."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from opendsql.catalog.model import Mapping, Role
from opendsql.endpoint import Endpoint
from opendsql.errors import DsqlError, OperatorError
from opendsql.gateway.iam import Authenticator, IamFiles, prepare, trust
from opendsql.gateway.iam.credentials import read_credentials, speaks_for
from opendsql.gateway.iam.policy import read_policy
from opendsql.gateway.iam.token import make_token

ENDPOINT = Endpoint("abcdefghijklmnopqrstuvwxyz", "eu-central-1", "123456789012", ("db.test",))
ANN = "arn:aws:iam::123456789012:user/ann"
SESSION_ARN = "arn:aws:sts::123456789012:assumed-role/app/i-0123"
NOW = 1_790_000_000.0
CREDENTIALS = f"""
[default]
aws_access_key_id = KEYDEFAULT
aws_secret_access_key = secret-default
region = eu-central-1

[ann]
aws_access_key_id=KEYANN
aws_secret_access_key=secret/ann+%s=
principal_arn = {ANN}

[app]
aws_access_key_id = KEYAPP
aws_secret_access_key = secret-app
aws_session_token = session+token/==
expiration = 2026-09-21T22:00:00Z
principal_arn = {SESSION_ARN}

[outside]
aws_access_key_id = KEYOUT
aws_secret_access_key = secret-out
principal_arn = arn:aws:iam::999999999999:user/eve

[no-keys]
role_arn = arn:aws:iam::123456789012:role/x
"""
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "dsql:DbConnect", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": [ANN, "arn:aws:iam::123456789012:user/default"]}, "Action": "dsql:*Admin",
         "Resource": "arn:aws:dsql:eu-central-1:123456789012:cluster/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "DSQL:dbconnectadmin", "Resource": "arn:aws:dsql:*:?????????????:cluster/*"},
    ],
}  # fmt: skip


# -- the two formats ---------------------------------------------------------------------------------------------------


def test_credentials() -> None:
    """Profiles, principals, defaults; values are taken as they are."""
    keys = read_credentials(CREDENTIALS, "123456789012")
    assert sorted(keys) == ["KEYANN", "KEYAPP", "KEYDEFAULT", "KEYOUT"]
    assert keys["KEYANN"].secret == "secret/ann+%s="
    assert keys["KEYDEFAULT"].principal == "arn:aws:iam::123456789012:user/default"
    assert keys["KEYAPP"].session_token == "session+token/=="
    assert keys["KEYAPP"].expires_at == 1_790_028_000
    assert "secret" not in repr(keys) and "session+token" not in repr(keys)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("aws_access_key_id = A", "line 1: a .profile. must come first"),
        ("[a]\naws_access_key_id = A\n", r"profile \[a\]: aws_secret_access_key is missing"),
        ("[a]\naws_secret_access_key = hidden\n", r"profile \[a\]: aws_access_key_id is missing"),
        ("[a]\naws_access_key_id = A B\naws_secret_access_key = hidden\n", "not letters and digits"),
        ("[a]\naws_access_key_id = A\naws_access_key_id = B\n", "comes twice"),
        ("[a]\n[a]\n", "comes twice"),
        ("[a]\nhidden\n", "expected"),
        ("[a]\naws_access_key_id=A\naws_secret_access_key=hidden\n[b]\naws_access_key_id=A\naws_secret_access_key=hidden", "the same access key"),
        ("[a]\naws_access_key_id=A\naws_secret_access_key=hidden\nprincipal_arn=ann", "is not the ARN"),
        ("[a]\naws_access_key_id=A\naws_secret_access_key=hidden\nexpiration=soon", "ISO 8601"),
    ],
)
def test_bad_credentials(text: str, reason: str) -> None:
    """The reason names the place and no secret."""
    with pytest.raises(ValueError, match=reason) as caught:
        read_credentials(text, "123456789012")
    assert "hidden" not in str(caught.value)


def test_sessions_speak_for_their_role() -> None:
    """An assumed role's session is its role, whatever the role's path; nobody else is."""
    role = "arn:aws:iam::123456789012:role/service/app"
    assert speaks_for(SESSION_ARN, role)
    assert speaks_for(SESSION_ARN, "arn:aws:iam::123456789012:role/app")
    assert speaks_for(role, role)
    for other in ("arn:aws:iam::123456789012:role/app2", "arn:aws:iam::999999999999:role/app", "arn:aws:iam::123456789012:user/app"):
        assert not speaks_for(SESSION_ARN, other)
    assert not speaks_for(role, SESSION_ARN)


def test_policy() -> None:
    """Patterns, accounts, roles of sessions; an explicit Deny wins; silence is no."""
    policy = read_policy(json.dumps({"Statement": POLICY["Statement"][:2]}))
    assert policy.decide(ANN, "dsql:DbConnectAdmin", ENDPOINT.arn) == "allow"
    assert policy.decide(SESSION_ARN, "dsql:DbConnect", ENDPOINT.arn) == "allow"
    assert policy.decide(SESSION_ARN, "dsql:DbConnectAdmin", ENDPOINT.arn) == "silent"
    assert policy.decide("arn:aws:iam::999999999999:user/eve", "dsql:DbConnect", ENDPOINT.arn) == "silent"
    assert policy.decide(ANN, "dsql:DbConnectAdmin", ENDPOINT.arn.replace("eu-central-1", "us-east-1")) == "silent"
    denying = read_policy(json.dumps(POLICY).replace("?????????????", "????????????"))
    assert denying.decide(ANN, "dsql:DbConnectAdmin", ENDPOINT.arn) == "deny"
    assert denying.decide(ANN, "dsql:DbConnect", ENDPOINT.arn) == "allow"
    assert read_policy(json.dumps(POLICY)).decide(ANN, "dsql:DbConnectAdmin", ENDPOINT.arn) == "allow"  # 13 ? are not 12 digits
    assert read_policy('{"Statement": []}').decide(ANN, "dsql:DbConnect", ENDPOINT.arn) == "silent"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"NotAction": "dsql:*"}, "statement 1: NotAction is not supported"),
        ({"NotPrincipal": "*"}, "statement 1: NotPrincipal is not supported"),
        ({"NotResource": "*"}, "statement 1: NotResource is not supported"),
        ({"Condition": {}}, "statement 1: Condition is not supported"),
        ({"Else": 1}, "statement 1: Else is not an element"),
        ({"Effect": "allow"}, "Effect must be"),
        ({"Action": []}, "Action must be a text"),
        ({"Action": "DbConnect"}, "service:action"),
        ({"Resource": "cluster/x"}, "neither an ARN nor"),
        ({"Principal": ANN}, "Principal must be"),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}}, "is not the ARN"),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012"}}, "is not the ARN"),
        ({"Principal": {"Service": "x"}}, "Principal must be"),
    ],
)
def test_bad_policy(change: dict, reason: str) -> None:
    """What is not understood is refused, not half obeyed."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    read_policy(json.dumps({"Statement": statement}))
    with pytest.raises(ValueError, match=reason):
        read_policy(json.dumps({"Statement": [statement | change]}))
    for name in statement:
        with pytest.raises(ValueError, match=f"{name} is missing"):
            read_policy(json.dumps({"Statement": {k: v for k, v in statement.items() if k != name}}))
    for text in ("", "[]", "{}", '{"Statement": [1]}', '{"Statement": [], "Version": "2020-01-01"}', '{"Statement": [], "X": 1}', "[" * 100_000):
        with pytest.raises(ValueError):
            read_policy(text)


# -- files -------------------------------------------------------------------------------------------------------------


def test_default_files(tmp_path: Path) -> None:
    """Made once: a fresh key pair only its owner can read, and a policy for it."""
    keys_path, policy_path, lines = prepare(tmp_path, ENDPOINT, None, None)
    assert (keys_path, policy_path) == (tmp_path / "iam" / "credentials", tmp_path / "iam" / "policy.json")
    assert len(lines) == 2
    assert keys_path.stat().st_mode & 0o777 == 0o600
    files = IamFiles(ENDPOINT, keys_path, policy_path)
    (key,) = files.keys.values()
    assert key.secret not in "".join(lines)
    assert files.policy.decide(key.principal, "dsql:DbConnectAdmin", ENDPOINT.arn) == "allow"
    assert files.policy.decide(key.principal, "dsql:DbConnect", ENDPOINT.arn) == "allow"
    assert prepare(tmp_path, ENDPOINT, None, None)[2] == []
    assert IamFiles(ENDPOINT, keys_path, policy_path).keys == files.keys


def test_given_files(tmp_path: Path) -> None:
    """A given credentials file gets a policy for its principals; a missing or broken one stops the start."""
    given = tmp_path / "keys"
    given.write_text(CREDENTIALS)
    _, policy_path, lines = prepare(tmp_path, ENDPOINT, given, None)
    assert len(lines) == 1
    assert read_policy(policy_path.read_text()).decide(SESSION_ARN, "dsql:DbConnect", ENDPOINT.arn) == "allow"
    with pytest.raises(OperatorError, match="absent: No such file"):
        prepare(tmp_path, ENDPOINT, tmp_path / "absent", policy_path)
    given.write_text("[a]\naws_access_key_id = A\n")
    with pytest.raises(OperatorError, match="aws_secret_access_key is missing"):
        prepare(tmp_path, ENDPOINT, given, policy_path)
    given.write_bytes(b"\xff\xfe")
    with pytest.raises(OperatorError, match="UTF-8"):
        prepare(tmp_path, ENDPOINT, given, policy_path)


def test_files_are_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A change counts from the next login; a broken or missing file leaves the old content and is reported once."""
    keys_path, policy_path, _ = prepare(tmp_path, ENDPOINT, None, None)
    files = IamFiles(ENDPOINT, keys_path, policy_path)
    before = files.keys
    keys_path.write_text(CREDENTIALS)
    assert "KEYANN" in files.keys
    policy_path.write_text("{")
    assert files.policy.decide(next(iter(before.values())).principal, "dsql:DbConnect", ENDPOINT.arn) == "allow"
    for _ in range(3):
        assert files.policy
    assert caplog.text.count("stays in force") == 1
    policy_path.unlink()
    assert files.policy.statements
    policy_path.write_text('{"Statement": []}')
    assert not files.policy.statements
    later = time.time() + 10
    keys_path.write_text(CREDENTIALS.replace("KEYANN", "KEYBOB"))
    os.utime(keys_path, (later, later))
    assert "KEYBOB" in files.keys


# -- the decision ------------------------------------------------------------------------------------------------------

MISMATCH = "The request signature we calculated does not match the signature you provided."
EVE = "arn:aws:iam::999999999999:user/eve"


class World:
    """A cluster with roles and mappings, and its authenticator at NOW."""

    def __init__(self, directory: Path) -> None:
        (directory / "keys").write_text(CREDENTIALS)
        (directory / "policy").write_text(json.dumps(POLICY))
        self.now = NOW
        files = IamFiles(ENDPOINT, directory / "keys", directory / "policy")
        self.authenticator = Authenticator(ENDPOINT, files, lambda: self.now)
        self.roles = {name: Role(26000 + i, name, login=name != "nologin") for i, name in enumerate(("admin", "ann", "app", "nologin"))}
        self.mappings = [Mapping(1, ANN, 26001), Mapping(2, "arn:aws:iam::123456789012:role/x/app", 26002), Mapping(3, ANN, 26003)]

    def catalog(self) -> SimpleNamespace:
        """Roles and mappings."""
        return SimpleNamespace(roles=self.roles, mappings=tuple(self.mappings))

    def login(self, user: str = "ann", key: str = "KEYANN", **changes) -> object:
        """A login with a token made by `key`, some of it changed."""
        pair = read_credentials(CREDENTIALS, "123456789012")[key]
        given = {
            "host": ENDPOINT.host, "region": ENDPOINT.region, "action": "DbConnectAdmin" if user == "admin" else "DbConnect",
            "access_key": pair.access_key, "secret": pair.secret, "now": NOW, "session_token": pair.session_token,
        }  # fmt: skip
        return self.authenticator(user, make_token(**(given | changes)), self.catalog)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One."""
    return World(tmp_path)


def hint(world: World, *args, **changes) -> str:
    """The HINT of a refusal, the rest of which is always the same."""
    with pytest.raises(DsqlError) as caught:
        world.login(*args, **changes)
    error = caught.value
    assert (error.severity, error.sqlstate, error.message) == ("FATAL", "08006", "unable to accept connection, access denied")
    assert error.detail is None
    return str(error.hint)


def test_admitted(world: World) -> None:
    """admin by action and policy alone; others with a mapping, which is a lease."""
    assert world.login("admin", "KEYDEFAULT") is None
    assert world.login("admin", "KEYANN", host="DB.test:5432") is None
    for lease in (world.login(), world.login("app", "KEYAPP")):
        lease(world.catalog())
    lease = world.login()
    world.mappings.clear()
    with pytest.raises(DsqlError, match="access denied"):
        lease(world.catalog())


def test_refused(world: World) -> None:
    """Each situation, its HINT."""
    assert hint(world, "admin", action="DbConnect") == "Wrong user to action mapping. user: admin, action: DbConnect"
    assert hint(world, action="DbConnectAdmin") == "Wrong user to action mapping. user: ann, action: DbConnectAdmin"
    assert hint(world, secret="other").startswith(MISMATCH)
    assert hint(world, host="zzzzzzzzzzzzzzzzzzzzzzzzzz.dsql.eu-central-1.on.aws").startswith(MISMATCH)
    assert hint(world, region="us-east-1") == "Credential should be scoped to a valid region, not 'us-east-1'. "
    assert hint(world, access_key="NOBODY") == "The security token included in the request is invalid."
    assert hint(world, session_token="x") == "The security token included in the request is invalid."
    assert hint(world, "app", "KEYAPP", session_token=None) == "The security token included in the request is invalid."
    assert hint(world, now=NOW - 901).startswith("Signature expired: ")
    assert hint(world, now=NOW + 301).startswith("Signature not yet current: ")
    assert hint(world, expires_s=604_801) == "X-Amz-Expires must be between 1 and 604800 seconds"
    assert hint(world, "app", "KEYOUT") == f"User: {EVE} is not authorized to access this resource"
    assert hint(world, "admin", "KEYAPP") == (
        f"User: {SESSION_ARN} is not authorized to perform: dsql:DbConnectAdmin on resource: {ENDPOINT.arn} "
        "because no identity-based policy allows the dsql:DbConnectAdmin action"
    )
    world.now = 1_790_028_000
    assert hint(world, "app", "KEYAPP", now=world.now) == "The security token included in the request is expired"


def test_roles_are_not_told_apart(world: World) -> None:
    """Unknown, without LOGIN, not mapped: one answer."""
    for user in ("nobody", "nologin", "app"):
        assert hint(world, user) == f'IAM authentication failed for user "{user}"'
    assert hint(world, "ann", "KEYDEFAULT") == 'IAM authentication failed for user "ann"'


def test_not_tokens(world: World) -> None:
    """No password, an ordinary one, a presigned URL with its scheme."""
    for password in (None, "", "secret", "https://" + ENDPOINT.host + "/?Action=DbConnect", "\0", "é" * 50):
        with pytest.raises(DsqlError, match="access denied") as caught:
            world.authenticator("ann", password, world.catalog)
        assert caught.value.hint == "Request must contain a valid (registered) AWS access key ID or X.509 certificate."


def test_logs_hold_no_token(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A1: a refusal is logged, the token is not."""
    for changes in ({"secret": "other"}, {"region": "x"}, {"expires_s": 0}, {"action": "DbConnectAdmin"}):
        hint(world, **changes)
    assert caplog.text.count("refused") == 4
    assert "X-Amz-Signature" not in caplog.text and "secret" not in caplog.text


def test_trust() -> None:
    """Where no token is asked for, the role must be there all the same."""
    catalog = SimpleNamespace(roles={"app": Role(1, "app", login=True), "group": Role(2, "group")})
    trust("admin", None, lambda: None)
    trust("app", None, lambda: catalog)
    for user in ("group", "nobody"):
        with pytest.raises(DsqlError, match="access denied"):
            trust(user, None, lambda: catalog)
