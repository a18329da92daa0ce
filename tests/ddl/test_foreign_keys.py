"""Foreign keys over the wire: when they are checked, what a client hears, what a race ends in."""

import uuid

import psycopg
import pytest


@pytest.fixture
def db(server):
    """A connection in autocommit whose search path is a schema of its own."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        name = "fk_" + uuid.uuid4().hex[:8]
        connection.execute(f"create schema {name}")
        connection.execute(f"set search_path = {name}")
        yield connection
        connection.rollback()
        connection.execute(f"drop schema {name} cascade")


def refused(connection, sql, params=None):
    with pytest.raises(psycopg.Error) as found:
        connection.execute(sql, params)
    diag = found.value.diag
    return diag.sqlstate, diag.message_primary, diag.message_detail


def another(db):
    other = psycopg.connect(db.info.dsn, autocommit=True)
    other.execute("set search_path = " + db.execute("show search_path").fetchone()[0])
    return other


MISSING = (
    "23503",
    'insert or update on table "c" violates foreign key constraint "c_p_id_fkey"',
    'Key (p_id)=(9) is not present in table "p".',
)
REFERENCED = (
    "23503",
    'update or delete on table "p" violates foreign key constraint "c_p_id_fkey" on table "c"',
    'Key (id)=(1) is still referenced from table "c".',
)


@pytest.fixture
def deferred(db):
    db.execute("create table p (id int primary key)")
    db.execute("create table c (id int primary key, p_id int references p deferrable initially deferred)")
    return db


def test_a_deferred_check_waits_for_commit_and_rolls_the_transaction_back(deferred):
    db = deferred
    db.execute("begin")
    db.execute("insert into p values (1)")
    db.execute("insert into c values (1, 9)")
    assert refused(db, "commit") == MISSING
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert db.execute("select count(*) from p").fetchone() == (0,)


def test_what_is_put_right_before_commit_passes(deferred):
    db = deferred
    for put_right in (
        "insert into p values (9)",
        "update c set p_id = null where id = 1",
        "delete from c where id = 1",
        "update c set id = 2, p_id = null where id = 1",
    ):
        db.execute("begin")
        db.execute("insert into c values (1, 9)")
        db.execute(put_right)
        assert db.execute("commit").statusmessage == "COMMIT"
        db.execute("delete from c")
        db.execute("delete from p")
    db.execute("begin")
    db.execute("insert into c values (1, 9)")
    db.execute("update c set id = 2 where id = 1")
    assert refused(db, "commit") == MISSING


def test_a_parent_may_go_and_come_back(deferred):
    db = deferred
    db.execute("insert into p values (1)")
    db.execute("insert into c values (1, 1)")
    db.execute("begin")
    db.execute("delete from p")
    db.execute("insert into p values (1)")
    db.execute("commit")
    db.execute("begin")
    db.execute("delete from p")
    assert refused(db, "commit") == REFERENCED
    assert refused(db, "delete from p") == REFERENCED
    assert db.execute("select count(*) from p").fetchone() == (1,)


def test_in_autocommit_the_statement_fails_by_either_protocol(deferred):
    assert refused(deferred, "insert into c values (1, 9)") == MISSING
    assert refused(deferred, "insert into c values (%s, %s)", (1, 9)) == MISSING
    with psycopg.ClientCursor(deferred) as cursor:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            cursor.execute("insert into p values (7); insert into c values (1, 9)")
        cursor.execute("insert into c values (1, 9); insert into p values (9)")
    assert deferred.execute("select id from p").fetchall() == [(9,)]


def test_set_constraints(deferred):
    db = deferred
    db.execute("begin")
    db.execute("insert into c values (1, 9)")
    assert refused(db, "set constraints all immediate") == MISSING
    assert refused(db, "select 1")[0] == "25P02"
    assert db.execute("commit").statusmessage == "ROLLBACK"
    db.execute("begin")
    assert db.execute("set constraints c_p_id_fkey immediate").statusmessage == "SET CONSTRAINTS"
    assert refused(db, "insert into c values (1, 9)") == MISSING
    db.execute("rollback")
    db.execute("begin")
    db.execute("set constraints c_p_id_fkey immediate")
    db.execute("set constraints all deferred")
    db.execute("insert into c values (1, 9)")
    db.execute("insert into p values (9)")
    db.execute("set constraints c_p_id_fkey immediate")
    db.execute("commit")
    for sql, message in (
        ("set constraints nope deferred", 'constraint "nope" does not exist'),
        ("set constraints c_pkey deferred", 'constraint "c_pkey" is not deferrable'),
    ):
        db.execute("begin")
        assert refused(db, sql)[:2] == ("42704" if "nope" in sql else "42809", message)
        db.execute("rollback")


def test_alter_constraint_changes_when_it_is_checked(deferred):
    db = deferred
    db.execute("alter table c alter constraint c_p_id_fkey not deferrable")
    db.execute("begin")
    assert refused(db, "insert into c values (1, 9)") == MISSING
    db.execute("rollback")
    db.execute("alter table c alter constraint c_p_id_fkey deferrable initially immediate")
    db.execute("begin")
    db.execute("set constraints all deferred")
    db.execute("insert into c values (1, 9)")
    assert refused(db, "commit") == MISSING


def test_the_rows_of_a_copy_are_checked_at_its_end(db):
    db.execute("create table t (id int primary key, up int references t)")
    with db.cursor().copy("copy t from stdin") as copy:
        copy.write("1\t2\n2\t3\n3\t\\N\n")
    assert db.execute("select count(*) from t").fetchone() == (3,)
    with pytest.raises(psycopg.errors.ForeignKeyViolation), db.cursor().copy("copy t from stdin") as copy:
        copy.write("4\t5\n6\t7\n5\t1\n")
    assert db.execute("select count(*) from t").fetchone() == (3,)


def test_a_failed_check_hands_out_no_row(db):
    db.execute("create table p (id int primary key)")
    db.execute("create table c (id int primary key, p_id int references p)")
    assert refused(db, "insert into c values (1, 9) returning id") == MISSING
    with db.transaction():
        rows = db.execute(
            "with x as (insert into p values (9) returning id) insert into c select 1, id from x returning *"
        ).fetchall()
    assert rows == [(1, 9)]


def test_a_cascade_past_3000_rows_names_the_statement_inside(db):
    db.execute("create table p (id int primary key)")
    db.execute("create table c (id int primary key, p_id int references p on delete cascade on update cascade)")
    db.execute("insert into p values (1)")
    db.execute("insert into c select g, 1 from generate_series(1, 2999) g")
    db.execute("insert into c values (3000, 1)")
    schema = db.execute("select current_schema()").fetchone()[0]
    for sql, inside in (
        ("delete from p", f'DELETE FROM ONLY "{schema}"."c" WHERE $1 OPERATOR(pg_catalog.=) "p_id"'),
        ("update p set id = 2", f'UPDATE ONLY "{schema}"."c" SET "p_id" = $1 WHERE $2 OPERATOR(pg_catalog.=) "p_id"'),
    ):
        with pytest.raises(psycopg.Error) as found:
            db.execute(sql)
        assert found.value.diag.sqlstate == "54000"
        assert found.value.diag.message_primary == "transaction row limit exceeded"
        assert found.value.diag.context == f'SQL statement "{inside}"'
    db.execute("delete from c where id = 3000")
    assert db.execute("delete from p").statusmessage == "DELETE 1"
    assert db.execute("select count(*) from c").fetchone() == (0,)


def test_cascades_go_down_levels_and_round_in_circles(db):
    db.execute("create table a (id int primary key, b_id int)")
    db.execute("create table b (id int primary key, a_id int references a on delete cascade on update cascade)")
    db.execute("alter table a add constraint back foreign key (b_id) references b on delete cascade on update cascade not valid")
    db.execute("insert into a values (1, null)")
    for n in range(1, 40):
        db.execute(f"insert into b values ({n}, {n})")
        db.execute(f"insert into a values ({n + 1}, {n})")
    db.execute("update a set id = 100 where id = 20")
    assert db.execute("select a_id from b where id = 20").fetchone() == (100,)
    db.execute("delete from a where id = 10")
    assert db.execute("select count(*), max(id) from a").fetchone() == (9, 9)
    assert db.execute("select count(*) from b").fetchone() == (9,)


@pytest.mark.parametrize("deferrable", ["", "deferrable initially deferred"])
def test_a_race_between_child_and_parent_ends_in_40001(db, deferrable):
    db.execute("create table p (id int primary key, v int)")
    db.execute(f"create table c (id int primary key, p_id int references p {deferrable})")
    db.execute("insert into p values (1, 0), (2, 0)")
    for first, second in (
        ("insert into c values (1, 1)", "delete from p where id = 1"),
        ("delete from p where id = 2", "insert into c values (2, 2)"),
    ):
        with another(db) as other:
            db.execute("begin")
            other.execute("begin")
            db.execute(first)
            other.execute(second)
            db.execute("commit")
            assert refused(other, "commit")[:2] == ("40001", "change conflicts with another transaction (OC000)")
    with another(db) as other:
        db.execute("begin")
        other.execute("begin")
        db.execute("insert into c values (5, 1)")
        other.execute("update p set v = v + 1 where id = 1")
        db.execute("commit")
        assert other.execute("commit").statusmessage == "COMMIT"
