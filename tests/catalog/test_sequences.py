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


def test_takers_never_conflict(session, directory):
    session.run("create sequence s cache 1")
    one, two = directory.session(), directory.session()
    assert [call(one, "nextval", "s"), call(two, "nextval", "s"), call(one, "nextval", "s")] == ["1", "2", "3"]
    assert not one.checks and not two.checks
    one.commit()
    two.commit()


def test_values_do_not_come_back(session, directory):
    session.run("create sequence s cache 1")
    session.begin()
    assert call(session, "nextval", "s") == "1"
    session.rollback()
    assert call(session, "nextval", "s") == "2" and call(session, "setval", "s", "10") == "10"
    session.rollback()
    assert call(directory.session(), "nextval", "s") == "11"


def test_another_was_faster(session, directory):
    session.run("create sequence s cache 1")
    first = directory.session()
    own, aside = directory.session(), first.aside

    def slow():
        slower = aside()
        slower.snapshot_ts  # noqa: B018  (pins)
        first.aside = aside
        assert call(own, "nextval", "s") == "1"
        return slower

    first.aside = slow
    assert call(first, "nextval", "s") == "2"


def test_blocks_are_kept(session, directory):
    session.run("create sequence s cache 65536")
    assert call(session, "nextval", "s") == "1"
    session.rollback()
    assert call(session, "nextval", "s") == "2"
    other = directory.session()
    assert call(other, "nextval", "s") == "65537"
    session.run("alter sequence s restart with 7")
    assert call(session, "nextval", "s") == "7"
    other.rollback()
    assert call(other, "nextval", "s") == str(7 + 65536)


def test_in_the_transaction_that_made_it(session, directory):
    session.begin()
    session.run("create sequence s cache 65536")
    assert [call(session, "nextval", "s") for _ in range(2)] == ["1", "2"]
    session.rollback()
    session.run("create sequence s cache 1")
    assert call(session, "nextval", "s") == "1"
    session.run("drop sequence s")
    assert not directory.trees[4]


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
