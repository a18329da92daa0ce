"""Logins by token over real connections: admitted, refused, revoked, expired, and the files that decide."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import botocore.session
import psycopg
import pytest
from opendsql.endpoint import Endpoint
from psycopg import errors
from tests_support import RunningServer, run_server

ARN = "arn:aws:iam::123456789012:user/default"
MISMATCH = "The request signature we calculated does not match the signature you provided."


class Cluster:
    """A server that asks for tokens."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.endpoint = Endpoint.read(server.data)
        self.keys = server.data / "iam" / "credentials"
        self.policy = server.data / "iam" / "policy.json"

    def token(self, *arguments: str) -> str:
        """`opendsql token`."""
        command = [sys.executable, "-m", "opendsql", "token", "--data", str(self.server.data), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def made(self, *, user: str = "admin", host: str | None = None, region: str | None = None, expires: int = 900, secret: str = "") -> str:
        """botocore's token with the cluster's key."""
        values = dict(re.findall(r"^(\w+) = (.*)$", self.keys.read_text(), re.M))
        session = botocore.session.Session()
        session.set_credentials(values["aws_access_key_id"], secret or values["aws_secret_access_key"])
        client = session.create_client("dsql", region_name=region or self.endpoint.region)
        make: Callable[..., str] = client.generate_db_connect_admin_auth_token if user == "admin" else client.generate_db_connect_auth_token
        return make(Hostname=host or self.endpoint.host, ExpiresIn=expires)

    def connect(self, password: str | None, user: str = "admin") -> psycopg.Connection:
        """An autocommit connection."""
        return psycopg.connect(f"host=127.0.0.1 port={self.server.port} dbname=postgres", user=user, password=password, autocommit=True)

    def refused(self, password: str, user: str = "admin") -> str:
        """The HINT of a refusal; everything else is the documented error."""
        with pytest.raises(psycopg.OperationalError) as caught:
            self.connect(password, user).close()
        text = str(caught.value)
        assert "FATAL:  unable to accept connection, access denied" in text
        return text.split("HINT:  ", 1)[1].strip()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With files of its own making: --policy names the default place, so tokens are asked for."""
    directory = tmp_path_factory.mktemp("tokens")
    first = directory / "policy.json"
    first.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": ARN}, "Action": "dsql:*", "Resource": "*"}]}))
    with run_server(directory, "--policy", str(first)) as server:
        found = Cluster(server)
        found.policy = first
        yield found


def test_admitted(cluster: Cluster) -> None:
    """The token of the command, and of botocore; the session outlives its token."""
    with cluster.connect(cluster.token()) as connection:
        assert connection.execute("select current_user").fetchone() == ("admin",)
    with cluster.connect(cluster.made(expires=1)) as connection:
        time.sleep(1.6)
        assert connection.execute("select 1").fetchone() == (1,)


def test_prompt(cluster: Cluster) -> None:
    """`opendsql sql` makes its token from the directory's keys."""
    command = [sys.executable, "-m", "opendsql", "sql", "--port", str(cluster.server.port), "--data", str(cluster.server.data), "-c"]
    assert "admin" in subprocess.run([*command, "select current_user"], capture_output=True, text=True, check=True).stdout


def test_refused(cluster: Cluster) -> None:
    """Each documented situation, over the wire."""
    other = "zzzzzzzzzzzzzzzzzzzzzzzzzz.dsql.us-east-1.on.aws"
    assert cluster.refused("password").startswith("Request must contain a valid")
    assert cluster.refused(cluster.made(secret="wrong")).startswith(MISMATCH)
    assert cluster.refused(cluster.made(host=other)).startswith(MISMATCH)
    assert cluster.refused(cluster.made(region="us-west-2")).startswith("Credential should be scoped to a valid region, not 'us-west-2'.")
    assert cluster.refused(cluster.made(user="other")) == "Wrong user to action mapping. user: admin, action: DbConnect"
    assert cluster.refused(cluster.made(), "someone") == "Wrong user to action mapping. user: someone, action: DbConnectAdmin"
    assert cluster.refused(cluster.made(user="nobody"), "nobody") == 'IAM authentication failed for user "nobody"'
    assert cluster.refused(cluster.made(expires=0)).startswith("X-Amz-Expires must be")
    assert cluster.refused(cluster.made(expires=604_801)).startswith("X-Amz-Expires must be")
    cluster.connect(cluster.made(expires=604_800)).close()
    token = cluster.made(expires=1)
    time.sleep(2.1)
    assert re.fullmatch(r"Signature expired: \w+ is now earlier than \w+ \(\w+ - 1 sec\.\)", cluster.refused(token))
    log = cluster.server.log.read_text()
    assert "refused" in log and "X-Amz" not in log.replace("X-Amz-Expires must be", "") and "Traceback" not in log


def test_a_role_by_its_mapping(cluster: Cluster) -> None:
    """CREATE ROLE, LOGIN, AWS IAM GRANT: all three; REVOKE ends open sessions at their next transaction, idle or not."""
    with cluster.connect(cluster.made()) as admin:
        admin.execute("create role worker")
        token = cluster.made(user="worker")
        assert cluster.refused(token, "worker") == 'IAM authentication failed for user "worker"'
        with pytest.raises(errors.InvalidParameterValue, match="role worker must have the LOGIN attribute"):
            admin.execute(f"aws iam grant worker to '{ARN}'")
        admin.execute("alter role worker with login")
        assert cluster.refused(token, "worker") == 'IAM authentication failed for user "worker"'
        admin.execute(f"aws iam grant worker to '{ARN}'")
        mapping = admin.execute("select arn, pg_role_name, grantor_pg_role_name from sys.iam_pg_role_mappings").fetchall()
        assert mapping == [(ARN, "worker", "admin")]
        with pytest.raises(errors.DependentObjectsStillExist):
            admin.execute("drop role worker")
        idle, open_one = cluster.connect(token, "worker"), cluster.connect(token, "worker")
        assert idle.execute("select current_user").fetchone() == ("worker",)
        admin.execute("create table unrelated (a int primary key)")
        assert idle.execute("select 1").fetchone() == (1,)
        open_one.execute("begin")
        assert open_one.execute("select 2").fetchone() == (2,)
        admin.execute(f"aws iam revoke worker from '{ARN}'")
        assert open_one.execute("select 3").fetchone() == (3,)  # the transaction under way goes on
        open_one.execute("commit")
        for connection in (idle, open_one):
            with pytest.raises(psycopg.OperationalError, match="unable to accept connection, access denied"):
                connection.execute("select 4")
            assert connection.closed
        assert cluster.refused(token, "worker") == 'IAM authentication failed for user "worker"'
        admin.execute("drop role worker")
        admin.execute("drop table unrelated")


def test_revoke_under_load(cluster: Cluster) -> None:
    """Sessions that never stop asking, while unrelated DDL moves the catalog: none is lost before the REVOKE, all after it."""
    with cluster.connect(cluster.made()) as admin:
        admin.execute("create role busy login")
        admin.execute(f"aws iam grant busy to '{ARN}'")
        sessions = [cluster.connect(cluster.made(user="busy"), "busy") for _ in range(4)]
        counts = [0] * len(sessions)
        ended: list[str] = []

        def ask(number: int) -> None:
            try:
                while True:
                    sessions[number].execute("select %s::int", (counts[number],))
                    counts[number] += 1
            except psycopg.OperationalError as error:
                ended.append(str(error))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(sessions))]
        for thread in threads:
            thread.start()
        for number in range(10):
            admin.execute(f"create schema s{number}")
            admin.execute(f"drop schema s{number}")
        assert not ended
        admin.execute(f"aws iam revoke busy from '{ARN}'")
        for thread in threads:
            thread.join(20)
        assert len(ended) == len(sessions) and all("access denied" in text for text in ended)
        assert all(count > 0 for count in counts)
        admin.execute("drop role busy")


def test_policy_changes(cluster: Cluster) -> None:
    """The file is read again: a Deny counts from the next login, a broken file changes nothing."""
    before = cluster.policy.read_text()
    resource = cluster.endpoint.arn
    try:
        deny = {"Effect": "Deny", "Principal": {"AWS": ARN}, "Action": "dsql:DbConnectAdmin", "Resource": resource}
        cluster.policy.write_text(json.dumps({"Statement": [*json.loads(before)["Statement"], deny]}))
        assert cluster.refused(cluster.made()) == (
            f"User: {ARN} is not authorized to perform: dsql:DbConnectAdmin on resource: {resource} "
            "with an explicit deny in an identity-based policy"
        )
        cluster.policy.write_text("not a policy")
        assert "explicit deny" in cluster.refused(cluster.made())
    finally:
        cluster.policy.write_text(before)
    cluster.connect(cluster.made()).close()


def test_mutations_over_the_wire(cluster: Cluster) -> None:
    """A sample of mutated tokens: every one refused as a token is refused, and the server goes on."""
    token = cluster.made()
    for at in range(0, len(token), 9):
        changed = token[:at] + ("7" if token[at] != "7" else "8") + token[at + 1 :]
        assert cluster.refused(changed)
    for changed in (token * 8, token + "&x=1", token.replace("&", "&&", 1), "é" * 4000, "%" * 1000, "x" * 16_000):
        assert cluster.refused(changed)
    host, _, query = token.partition("/?")
    cluster.connect(f"{host}/?{'&'.join(reversed(query.split('&')))}").close()


def test_statements_of_iam(cluster: Cluster) -> None:
    """The documented errors of AWS IAM GRANT and REVOKE."""
    cases = [
        ("aws iam grant nobody to 'arn:aws:iam::123456789012:role/x'", "42704", "Role nobody does not exist"),
        ("aws iam grant admin to 'arn:aws:iam::123456789012:role/x'", "0A000", "Role admin not supported"),
        ("aws iam grant pg_monitor to 'arn:aws:iam::123456789012:role/x'", "0A000", "Cannot establish trust with role pg_monitor"),
        ("aws iam grant mapped to 'role/x'", "22023", "IAM role must look like an IAM ARN"),
        ("aws iam grant mapped to 'arn:aws:sts::123456789012:assumed-role/x/y'", "22023", "IAM role must look like an IAM ARN"),
        ("aws iam revoke mapped from 'arn:aws:iam::123456789012:role/x'", "42704", "IAM role arn:aws:iam::123456789012:role/x does not exist"),
        ("drop role mapped", "2BP01", 'role "mapped" cannot be dropped because some objects depend on it'),
    ]  # fmt: skip
    with cluster.connect(cluster.made()) as admin:
        admin.execute("create role mapped login")
        admin.execute(f"aws iam grant mapped to '{ARN}'")
        for statement, state, message in cases:
            with pytest.raises(psycopg.Error) as caught:
                admin.execute(statement)
            assert (caught.value.sqlstate, caught.value.diag.message_primary) == (state, message), statement
        with cluster.connect(cluster.made(user="mapped"), "mapped") as mapped, pytest.raises(errors.InsufficientPrivilege) as denied:
            mapped.execute(f"aws iam grant mapped to '{ARN}'")
        assert denied.value.diag.message_primary == "permission denied to grant IAM trust with role mapped"
        admin.execute(f"aws iam revoke mapped from '{ARN}'")
        admin.execute("drop role mapped")
