"""aurora-dsql-python-connector over psycopg: connections, its pool, its retry."""

import os

import aurora_dsql_psycopg as dsql
from psycopg import errors

host = os.environ["DSQL_HOST"]

with dsql.connect(host, autocommit=True) as migration:
    assert migration.pgconn.ssl_in_use
    migration.execute("CREATE TABLE account_psycopg (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner text NOT NULL, balance int NOT NULL)")
    job = migration.execute("CREATE INDEX ASYNC account_psycopg_owner ON account_psycopg (owner)").fetchone()[0]
    assert migration.execute("CALL sys.wait_for_job(%s)", (job,)).fetchone() == (True,)
    with migration.cursor() as cursor:
        cursor.executemany("INSERT INTO account_psycopg (owner, balance) VALUES (%s, %s)", [(f"owner {n}", n) for n in range(100)])
        with cursor.copy("COPY account_psycopg (owner, balance) FROM STDIN") as copy:
            for number in range(100, 200):
                copy.write_row((f"owner {number}", number))
    assert migration.execute("SELECT count(*), sum(balance) FROM account_psycopg").fetchone() == (200, 19_900)

with dsql.connect(host) as one, dsql.connect(host) as two:
    for connection in (one, two):
        connection.execute("UPDATE account_psycopg SET balance = balance + 1 WHERE owner = 'owner 7'")
    one.commit()
    try:
        two.commit()
    except errors.SerializationFailure as error:
        assert dsql.is_occ_error(error) and "OC000" in str(error)
    else:
        raise AssertionError("both committed")

attempts = 0


def transfer(connection):
    """The first attempt meets a change that somebody else commits in the middle."""
    global attempts
    attempts += 1
    (balance,) = connection.execute("SELECT balance FROM account_psycopg WHERE owner = 'owner 7'").fetchone()
    if attempts == 1:
        with dsql.connect(host, autocommit=True) as other:
            other.execute("UPDATE account_psycopg SET balance = balance + 10 WHERE owner = 'owner 7'")
    connection.execute("UPDATE account_psycopg SET balance = %s WHERE owner = 'owner 7'", (balance + 100,))


with dsql.create_pool(host, min_size=1, max_size=2, retry=True) as pool:
    pool.run_transaction(transfer)
    with pool.connection() as connection:
        assert connection.execute("SELECT balance FROM account_psycopg WHERE owner = 'owner 7'").fetchone() == (118,)
assert attempts == 2, attempts
print("done")
