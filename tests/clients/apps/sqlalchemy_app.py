"""aurora-dsql-sqlalchemy (direct TLS): metadata, async index, reflection, ORM, a conflict and its retry. Driver in argv."""

import os
import sys
import uuid

from aurora_dsql_sqlalchemy import create_dsql_engine
from sqlalchemy import ForeignKey, Index, inspect, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

driver = sys.argv[1]
engine = create_dsql_engine(host=os.environ["DSQL_HOST"], user="admin", driver=driver, pool_size=4)


class Base(DeclarativeBase):
    """Declarative base."""


class Owner(Base):
    """Owns accounts."""

    __tablename__ = f"owner_{driver}"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    accounts: Mapped[list["Account"]] = relationship(back_populates="owner")


class Account(Base):
    """Holds a balance."""

    __tablename__ = f"account_{driver}_orm"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Owner.id))
    balance: Mapped[int]
    owner: Mapped[Owner] = relationship(back_populates="accounts")
    __table_args__ = (Index(f"account_{driver}_balance", "balance"),)


for table in Base.metadata.sorted_tables:
    with engine.connect() as connection:
        table.create(connection, checkfirst=True)
        connection.commit()
with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
    jobs = connection.execute(text("SELECT job_id FROM sys.jobs WHERE job_type = 'INDEX_BUILD' AND status NOT IN ('completed', 'failed')"))
    for (job,) in jobs.all():
        assert connection.execute(text(f"CALL sys.wait_for_job('{job}')")).scalar_one() is True
found = inspect(engine)
assert [c["name"] for c in found.get_columns(Account.__tablename__)] == ["id", "owner_id", "balance"]
assert {i["name"] for i in found.get_indexes(Account.__tablename__)} == {f"account_{driver}_balance"}
assert found.get_pk_constraint(Owner.__tablename__)["constrained_columns"] == ["id"]

with Session(engine) as session:
    session.add_all([Owner(name=f"name {n}", accounts=[Account(balance=n), Account(balance=-n)]) for n in range(20)])
    session.commit()
with Session(engine) as session:
    owner = session.scalars(select(Owner).where(Owner.name == "name 7")).one()
    assert sorted(account.balance for account in owner.accounts) == [-7, 7]
    key = next(account.id for account in owner.accounts if account.balance == 7)

with Session(engine) as one, Session(engine) as two:
    one.get_one(Account, key).balance += 1
    two.get_one(Account, key).balance += 1
    one.commit()
    try:
        two.commit()
    except OperationalError as error:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        assert code == "40001", error
        two.rollback()
    else:
        raise AssertionError("both committed")
    two.get_one(Account, key).balance += 1
    two.commit()
    assert two.get_one(Account, key).balance == 9
print("done")
