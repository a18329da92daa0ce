"""An arena that fills up refuses commits before anything durable stops fitting, and keeps serving what it has."""

import opendsql
import pytest
from opendsql.embedded import OperationalError


def test_full_arena(tmp_path) -> None:
    path = str(tmp_path / "data")
    connection = opendsql.connect(path, arena_bytes=64 << 20)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE big (id int PRIMARY KEY, note text)")
    stored = 0
    with pytest.raises(OperationalError) as refused:
        for batch in range(200):
            cursor.execute("INSERT INTO big SELECT g, repeat('x', 3000) FROM generate_series(%s::int, %s::int) AS g", (batch * 200, batch * 200 + 199))
            stored += 200
    assert refused.value.sqlstate == "53100"
    assert stored > 0
    cursor.execute("SELECT count(*) FROM big")
    assert cursor.fetchall() == [(stored,)]
    connection.close()
    with opendsql.connect(path) as again:  # more room
        cursor = again.cursor()
        cursor.execute("SELECT count(*) FROM big")
        assert cursor.fetchall() == [(stored,)]
        cursor.execute("INSERT INTO big VALUES (-1, 'fits')")
