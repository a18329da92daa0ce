"""nextval, currval, setval over transactions that commit, conflict and roll back."""

import pytest
from opendsql.catalog import context
from opendsql.catalog.functions import table
from opendsql.errors import DsqlError

F = table()


def call(session, name, *args):
    with context.use(session.catalog(), session):
        return F[name](*args)


def test_cache_one(session, directory):
    session.run("create sequence s cache 1")
    assert [call(session, "nextval", "s") for _ in range(3)] == ["1", "2", "3"]
    assert call(session, "currval", "s") == "3" and call(session, "lastval") == "3"
    session.commit()
    other = directory.session()
    assert call(other, "nextval", "public.s") == "4"
    with pytest.raises(DsqlError) as caught:
        call(directory.session(), "currval", "s")
    assert caught.value.message == 'currval of sequence "s" is not yet defined in this session'


def test_two_takers_conflict(session, directory):
    session.run("create sequence s cache 1")
    one, two = directory.session(), directory.session()
    assert call(one, "nextval", "s") == call(two, "nextval", "s") == "1"
    one.commit()
    with pytest.raises(DsqlError):
        two.commit()
    assert call(two, "nextval", "s") == "2"


def test_blocks_are_kept_after_commit_only(session, directory):
    session.run("create sequence s cache 65536")
    assert call(session, "nextval", "s") == "1"
    session.commit()
    assert call(session, "nextval", "s") == "2" and not session.checks
    other = directory.session()
    assert call(other, "nextval", "s") == "65537"
    other.rollback()
    third = directory.session()
    assert call(third, "nextval", "s") == "65537"
    third.commit()
    assert call(other, "nextval", "s") == str(2 * 65536 + 1)
    assert call(session, "nextval", "s") == "3"


def test_setval_and_bounds(session):
    session.run("create sequence s maxvalue 3 cache 1")
    assert call(session, "setval", "s", "2") == "2"
    assert call(session, "nextval", "s") == "3"
    with pytest.raises(DsqlError) as caught:
        call(session, "nextval", "s")
    assert (caught.value.sqlstate, caught.value.message) == ("2200H", 'nextval: reached maximum value of sequence "s" (3)')
    assert call(session, "setval", "s", "1", "f") == "1" and call(session, "nextval", "s") == "1"
    with pytest.raises(DsqlError) as caught:
        call(session, "setval", "s", "9")
    assert caught.value.message == 'setval: value 9 is out of bounds for sequence "s" (1..3)'
    session.run("create sequence c minvalue -2 maxvalue 2 increment -1 cycle cache 1")
    assert [call(session, "nextval", "c") for _ in range(6)] == ["2", "1", "0", "-1", "-2", "2"]
