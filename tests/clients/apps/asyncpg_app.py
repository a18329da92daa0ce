"""aurora-dsql-python-connector over asyncpg."""

import asyncio
import os

import asyncpg
import aurora_dsql_asyncpg as dsql

host = os.environ["DSQL_HOST"]


async def main() -> None:
    """Migration, index, rows, a conflict and its retry."""
    pool = await dsql.create_pool(host, min_size=1, max_size=3)
    async with pool.acquire() as connection:
        await connection.execute("CREATE TABLE account_asyncpg (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner text, balance numeric(12, 2))")
        job = await connection.fetchval("CREATE INDEX ASYNC account_asyncpg_owner ON account_asyncpg (owner)")
        assert await connection.fetchval(f"CALL sys.wait_for_job('{job}')") is True
        await connection.executemany("INSERT INTO account_asyncpg (owner, balance) VALUES ($1, $2)", [(f"owner {n}", n) for n in range(100)])
        await connection.copy_records_to_table("account_asyncpg", records=[("copied", 1)], columns=["owner", "balance"])
        assert await connection.fetchval("SELECT count(*) FROM account_asyncpg WHERE owner = ANY($1::text[])", ["owner 1", "copied"]) == 2

    async def add(connection: asyncpg.Connection) -> None:
        await connection.execute("UPDATE account_asyncpg SET balance = balance + 1 WHERE owner = 'owner 7'")

    async with pool.acquire() as one, pool.acquire() as two:
        first, second = one.transaction(), two.transaction()
        await first.start()
        await second.start()
        await add(one)
        await add(two)
        await first.commit()
        try:
            await second.commit()
        except asyncpg.SerializationError as error:
            assert error.sqlstate == "40001" and "OC000" in str(error)
        else:
            raise AssertionError("both committed")
        async with two.transaction():
            await add(two)
        assert await one.fetchval("SELECT balance FROM account_asyncpg WHERE owner = 'owner 7'") == 9
    await pool.close()
    print("done")


asyncio.run(main())
