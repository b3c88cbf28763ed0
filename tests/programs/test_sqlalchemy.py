"""SQLAlchemy on the embedded account: statements with values, reflection, pandas, the ORM."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pandas
import pytest
import sqlalchemy as sa
from snowflake.sqlalchemy import URL
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.account.conftest import AccountServer
from tests.programs.conftest import rows

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


class Base(DeclarativeBase):
    pass


class Point(Base):
    __tablename__ = "points"
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True, comment="what it is called")


class Parcel(Base):
    __tablename__ = "parcels"
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"))
    weight: Mapped[float] = mapped_column(sa.Double)
    price: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 2))
    arrived: Mapped[bool] = mapped_column(sa.Boolean)


@pytest.fixture(scope="module")
def engine(account_server: AccountServer, warehouse: str) -> Iterator[sa.Engine]:
    rows(account_server, "CREATE OR REPLACE DATABASE ALCHEMY")
    known = account_server.parameters
    protocol = {"protocol": known.pop("protocol")}
    address = URL(**known, database="ALCHEMY", schema="PUBLIC", warehouse=warehouse)
    engine = sa.create_engine(address, connect_args=protocol)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_statements_take_values(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT :a + 1 AS A, :b AS B, :c AS C, :d AS D"),
            {"a": 1, "b": "it's 100 %", "c": None, "d": 1.5},
        ).one()
    assert tuple(row) == (2, "it's 100 %", None, Decimal("1.5"))


def test_tables_are_reflected(engine: sa.Engine) -> None:
    reflected = sa.MetaData()
    reflected.reflect(engine, only=["points", "parcels"])
    parcels = reflected.tables["parcels"]
    assert [(c.name, str(c.type), c.nullable, c.primary_key) for c in parcels.columns] == [
        ("id", "DECIMAL(38, 0)", False, True),
        ("point_id", "DECIMAL(38, 0)", False, False),
        ("weight", "FLOAT", False, False),
        ("price", "DECIMAL(10, 2)", True, False),
        ("arrived", "BOOLEAN", False, False),
    ]
    assert [key.target_fullname for key in parcels.foreign_keys] == ["points.id"]
    assert reflected.tables["points"].columns["name"].comment == "what it is called"
    inspector = sa.inspect(engine)
    assert inspector.get_pk_constraint("points")["constrained_columns"] == ["id"]
    assert [one["column_names"] for one in inspector.get_unique_constraints("points")] == [["name"]]
    assert inspector.get_foreign_keys("parcels")[0]["referred_table"] == "points"
    assert (inspector.has_table("points"), inspector.has_table("nothing")) == (True, False)


def test_rows_are_mapped(engine: sa.Engine) -> None:
    with Session(engine) as db:
        db.add_all([Point(id=1, name="a"), Point(id=2, name="b")])
        db.flush()
        db.add(Parcel(id=1, point_id=2, weight=0.5, price=Decimal("1.25"), arrived=True))
        db.commit()
    with Session(engine) as db:
        joined = sa.select(Point.name, Parcel.price).join(Parcel, Parcel.point_id == Point.id)
        assert [tuple(row) for row in db.execute(joined)] == [("b", Decimal("1.25"))]
        first = db.get_one(Point, 1)
        first.name = "changed"
        db.commit()
        assert db.scalars(sa.select(Point.name).order_by(Point.id)).all() == ["changed", "b"]
        assert db.execute(sa.delete(Parcel)).rowcount == 1
        db.rollback()
        assert db.scalar(sa.select(sa.func.count()).select_from(Parcel)) == 1


def test_frames_go_there_and_back(engine: sa.Engine) -> None:
    times = pandas.to_datetime(["2025-01-01 10:00", "2025-01-02 00:00", "2025-01-03 00:00"])
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "at": times, "f": [1.5, 2.0, None]})
    for mode in ("replace", "append"):
        frame.to_sql("frame", engine, index=False, if_exists=mode)
    twice = pandas.read_sql("SELECT * FROM frame ORDER BY a", engine)
    assert twice["a"].tolist() == [1, 1, 2, 2, 3, 3]
    frame.to_sql("frame", engine, index=False, if_exists="replace")
    back = pandas.read_sql_table("frame", engine).sort_values("a")
    assert back["b"].tolist() == ["x", "y", None]
    assert back["at"].tolist() == times.tolist()
    assert back["f"].tolist()[:2] == [1.5, 2.0]
