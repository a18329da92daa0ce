"""42501 for what a role was not granted; column grants; views speak for their owner."""

import pytest
from in_process import Client
from opendsql.catalog.settings import SessionSettings
from opendsql.errors import DsqlError

from dsql_core.execute import ExecuteError


@pytest.fixture(scope="module")
def clients() -> tuple[Client, Client]:
    admin = Client()
    for sql in (
        "create role app login",
        "create schema private",
        "create table t (id int primary key, v text, secret text)",
        "create table private.p (id int primary key)",
        "create view w as select id, secret from t",
        "insert into t values (1, 'a', 'x')",
    ):
        admin.run(sql)
    app = Client.__new__(Client)
    app.store, app.planner = admin.store, admin.planner
    app.session = admin.store.engine.session()
    app.session.settings = SessionSettings("app")
    return admin, app


def refused(client: Client, sql: str) -> str:
    with pytest.raises((DsqlError, ExecuteError)) as caught:
        client.run(sql)
    assert caught.value.sqlstate == "42501"
    return caught.value.message


def outdated(client: Client, sql: str) -> list[tuple[str | None, ...]]:
    """Rows of a statement whose table was granted on since this session used it: OC001 first, then the answer."""
    with pytest.raises(ExecuteError) as caught:
        client.run(sql)
    assert caught.value.sqlstate == "40001" and "(OC001)" in caught.value.message
    return client.run(sql)


def test_grants(clients: tuple[Client, Client]) -> None:
    admin, app = clients
    assert refused(app, "select * from t") == "permission denied for table t"
    assert refused(app, "select 1 from w") == "permission denied for view w"
    assert refused(app, "insert into t (id) values (2)") == "permission denied for table t"
    assert refused(app, "delete from t") == "permission denied for table t"
    assert refused(app, "select * from private.p") == "permission denied for schema private"
    admin.run("grant select on w to app")
    assert app.run("select secret from w") == [("x",)]
    admin.run("grant select (id, v) on t to app")
    assert outdated(app, "select id, v from t where v = 'a'") == [("1", "a")]
    assert app.run("select count(*) from t") == [("1",)]
    assert refused(app, "select secret from t") == "permission denied for table t"
    assert refused(app, "select id from t where secret = 'x'") == "permission denied for table t"
    admin.run("grant insert, update (v) on t to app")
    assert outdated(app, "insert into t (id, v) values (2, 'b')") == []
    assert app.run("update t set v = 'c' where id = 2") == []
    assert refused(app, "update t set secret = 'y'") == "permission denied for table t"
    assert refused(app, "insert into t (id) values (3) returning secret") == "permission denied for table t"
    admin.run("revoke all on t from app")
    with pytest.raises((DsqlError, ExecuteError), match="OC001"):
        app.run("insert into t (id) values (4)")
    assert refused(app, "insert into t (id) values (4)") == "permission denied for table t"


def test_catalogs_are_open(clients: tuple[Client, Client]) -> None:
    _, app = clients
    assert app.run("select count(*) from pg_class where relname = 't'") == [("1",)]
