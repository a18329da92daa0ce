"""SQLAlchemy through AWS's own dialect, unmodified: create, index, ORM insert and query, reflect back."""

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Pet(Base):
    __tablename__ = "sa_pet"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(40))
    weight: Mapped[float | None] = mapped_column(sa.Numeric(6, 2))
    born: Mapped[str | None] = mapped_column(sa.Date)
    __table_args__ = (sa.Index("sa_pet_name", "name"), sa.UniqueConstraint("name", "born", name="sa_pet_once"))


def wait_for_jobs(engine) -> None:
    """An index that becomes valid is a catalog change: transactions under way get OC001, here as on DSQL."""
    with engine.connect() as connection:
        for (job,) in connection.execute(sa.text("SELECT job_id FROM sys.jobs WHERE status IN ('submitted', 'processing')")).all():
            connection.execute(sa.text(f"CALL sys.wait_for_job('{job}')"))
        connection.commit()


def test_create_index_orm_reflect(server) -> None:
    url = sa.URL.create("auroradsql+psycopg", username="admin", host="127.0.0.1", port=server.port, database="postgres", query={"sslmode": "disable"})
    engine = sa.create_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    wait_for_jobs(engine)
    with Session(engine) as session:
        session.add_all([Pet(id=1, name="rex", weight=12.5), Pet(id=2, name="mia")])
        session.commit()
        assert [p.name for p in session.scalars(sa.select(Pet).where(Pet.name.like("r%")).order_by(Pet.id))] == ["rex"]
        session.get(Pet, 2).name = "tom"
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(Pet)) == 2
    inspector = sa.inspect(engine)
    assert "sa_pet" in inspector.get_table_names()
    columns = {c["name"]: c for c in inspector.get_columns("sa_pet")}
    assert list(columns) == ["id", "name", "weight", "born"]
    assert isinstance(columns["name"]["type"], sa.VARCHAR)
    assert columns["name"]["type"].length == 40
    assert isinstance(columns["weight"]["type"], sa.NUMERIC)
    assert columns["id"]["nullable"] is False
    assert inspector.get_pk_constraint("sa_pet")["constrained_columns"] == ["id"]
    assert any(i["name"] == "sa_pet_name" and i["column_names"] == ["name"] for i in inspector.get_indexes("sa_pet"))
    assert [u["name"] for u in inspector.get_unique_constraints("sa_pet")] == ["sa_pet_once"]
    reflected = sa.Table("sa_pet", sa.MetaData(), autoload_with=engine)
    assert [c.name for c in reflected.primary_key] == ["id"]
    Base.metadata.drop_all(engine)
    engine.dispose()
