"""asyncpg, unmodified: prepared statements, a cursor in a transaction, binary types, introspection."""

import asyncio
import datetime
import decimal
import uuid

import asyncpg


def run(server, body):
    async def main():
        connection = await asyncpg.connect(host="127.0.0.1", port=server.port, user="admin", database="postgres")
        try:
            return await body(connection)
        finally:
            await connection.close()

    return asyncio.run(main())


def test_prepared_and_types(server) -> None:
    async def body(connection):
        await connection.execute("DROP TABLE IF EXISTS apg")
        await connection.execute("CREATE TABLE apg (id int PRIMARY KEY, n numeric, t text, ts timestamptz, u uuid, d double precision, jb jsonb)")
        insert = await connection.prepare("INSERT INTO apg VALUES ($1, $2, $3, $4, $5, $6, $7)")
        now = datetime.datetime(2026, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)
        row = (1, decimal.Decimal("3.140000"), "x", now, uuid.UUID(int=3), 0.5, '{"k": 1}')
        await insert.fetch(*row)
        assert tuple(await connection.fetchrow("SELECT * FROM apg WHERE id = $1", 1)) == row
        assert await connection.fetchval("SELECT t FROM apg WHERE id = ANY($1::int[])", [1, 2]) == "x"
        await connection.executemany("INSERT INTO apg (id) VALUES ($1)", [(i,) for i in range(2, 20)])
        return await connection.fetchval("SELECT count(*) FROM apg")

    assert run(server, body) == 19


def test_cursor_in_a_transaction(server) -> None:
    async def body(connection):
        async with connection.transaction(isolation="repeatable_read"):
            return [record[0] async for record in connection.cursor("SELECT g FROM generate_series(1, 300) AS g", prefetch=7)]

    assert run(server, body) == list(range(1, 301))


def test_conflict(server) -> None:
    async def body(connection):
        await connection.execute("DROP TABLE IF EXISTS apg_c")
        await connection.execute("CREATE TABLE apg_c (id int PRIMARY KEY, v int)")
        await connection.execute("INSERT INTO apg_c VALUES (1, 1)")
        other = await asyncpg.connect(host="127.0.0.1", port=server.port, user="admin", database="postgres")
        try:
            transaction = connection.transaction(isolation="repeatable_read")
            await transaction.start()
            await connection.execute("UPDATE apg_c SET v = v + 1")
            await other.execute("UPDATE apg_c SET v = v + 1")
            try:
                await transaction.commit()
            except asyncpg.SerializationError as error:
                return error.sqlstate, str(error)
        finally:
            await other.close()

    hint = "Another transaction changed the same rows first. Nothing was written: run the whole transaction again."
    assert run(server, body) == ("40001", f"change conflicts with another transaction (OC000)\nHINT:  {hint}")
