"""Every documented refusal of a login over verified TLS, with botocore's tokens; a role by its mapping, and its end."""

import os
import random
import re

import aurora_dsql_psycopg as dsql
import boto3
import psycopg

host, region = os.environ["DSQL_HOST"], os.environ["AWS_REGION"]
principal = os.environ["DSQL_PRINCIPAL"]
mismatch = "The request signature we calculated does not match the signature you provided."


def token(*, admin: bool = True, name: str = host, place: str = region, seconds: int = 900) -> str:
    """botocore's."""
    client = boto3.client("dsql", region_name=place)
    make = client.generate_db_connect_admin_auth_token if admin else client.generate_db_connect_auth_token
    return make(Hostname=name, ExpiresIn=seconds)


def refused(password: str, user: str = "admin") -> str:
    """The HINT."""
    try:
        psycopg.connect(host=host, user=user, dbname="postgres", password=password, sslmode="verify-full", sslrootcert="system").close()
    except psycopg.OperationalError as error:
        text = str(error)
        assert "FATAL:  unable to accept connection, access denied" in text, text
        return text.split("HINT:  ", 1)[1].strip()
    raise AssertionError(f"admitted: {user}")


assert refused(token(admin=False)) == "Wrong user to action mapping. user: admin, action: DbConnect"
assert refused(token(), "worker") == "Wrong user to action mapping. user: worker, action: DbConnectAdmin"
assert refused(token(admin=False), "nobody") == 'IAM authentication failed for user "nobody"'
assert refused(token(place="eu-west-1")) == "Credential should be scoped to a valid region, not 'eu-west-1'."
assert refused(token(name=host.replace(host[0], "7" if host[0] != "7" else "6", 1))).startswith(mismatch)
for seconds in (0, -1, 604_801):
    assert refused(token(seconds=seconds)).startswith("X-Amz-Expires must be")
good = token()
rng = random.Random(14)
for _ in range(40):
    at = rng.randrange(len(good))
    assert refused(good[:at] + rng.choice("!~+ ") + good[at + 1 :])
assert refused(re.sub(r"[0-9a-f]{64}$", "0" * 64, good)).startswith(mismatch)

with dsql.connect(host, autocommit=True) as admin:
    admin.execute("CREATE ROLE worker WITH LOGIN")
    admin.execute(f"AWS IAM GRANT worker TO '{principal}'")
    with dsql.connect(host, user="worker", autocommit=True) as worker:
        assert worker.execute("SELECT current_user").fetchone() == ("worker",)
        admin.execute(f"AWS IAM REVOKE worker FROM '{principal}'")
        try:
            worker.execute("SELECT 1")
        except psycopg.OperationalError as error:
            assert "unable to accept connection, access denied" in str(error), error
        else:
            raise AssertionError("the mapping is revoked")
    assert refused(token(admin=False), "worker") == 'IAM authentication failed for user "worker"'
    admin.execute("DROP ROLE worker")
print("done")
