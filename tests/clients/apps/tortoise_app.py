"""aurora-dsql-tortoise-orm: generated schema with async indexes, rows, a conflict and its retry. Backend in argv."""

import asyncio
import os
import sys

import asyncpg
import psycopg
from aurora_dsql_tortoise import register_backends
from tortoise import Tortoise, connections, fields, run_async
from tortoise.exceptions import OperationalError
from tortoise.models import Model
from tortoise.transactions import in_transaction

backend = sys.argv[1]
# COMMIT's error reaches the application as the driver's own
CONFLICTS = (OperationalError, asyncpg.SerializationError, psycopg.errors.SerializationFailure)
register_backends()


class Owner(Model):
    """Owns accounts."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=40, db_index=True)

    class Meta:
        table = f"tortoise_owner_{backend}"


class Account(Model):
    """Holds a balance."""

    id = fields.UUIDField(primary_key=True)
    owner = fields.ForeignKeyField("models.Owner", related_name="accounts")
    balance = fields.IntField()

    class Meta:
        table = f"tortoise_account_{backend}"


async def wait_for_jobs() -> None:
    """Until the indexes are built."""
    connection = connections.get("default")
    for job in await connection.execute_query_dict("SELECT job_id FROM sys.jobs WHERE status NOT IN ('completed', 'failed')"):
        done = await connection.execute_query_dict(f"CALL sys.wait_for_job('{job['job_id']}')")
        assert done[0]["succeeded"] is True


async def main() -> None:
    """The application."""
    await Tortoise.init(db_url=f"dsql+{backend}://admin@{os.environ['DSQL_HOST']}:5432/postgres", modules={"models": ["__main__"]})
    for attempt in range(5):
        try:
            await Tortoise.generate_schemas(safe=True)
            break
        except CONFLICTS as error:  # the job of an index it has just asked for finished in the middle of the next CREATE
            assert "OC001" in str(error) and attempt < 4, error
    await wait_for_jobs()
    for number in range(20):
        owner = await Owner.create(name=f"name {number}")
        await Account.bulk_create([Account(owner=owner, balance=number), Account(owner=owner, balance=-number)])
    owner = await Owner.get(name="name 7").prefetch_related("accounts")
    assert sorted(account.balance for account in owner.accounts) == [-7, 7]
    assert await Account.filter(owner__name__startswith="name 1").count() == 22
    key = next(account.id for account in owner.accounts if account.balance == 7)
    has_read, has_written = asyncio.Event(), asyncio.Event()

    async def other() -> None:
        """A task outside the transaction, on a connection of its own: commits between its read and its write."""
        await has_read.wait()
        await Account.filter(id=key).update(balance=20)
        has_written.set()

    beside = asyncio.create_task(other())
    attempts = 0
    while True:
        attempts += 1
        try:
            async with in_transaction() as transaction:
                account = await Account.get(id=key, using_db=transaction)
                has_read.set()
                await has_written.wait()
                account.balance += 1
                await account.save(using_db=transaction)
            break
        except CONFLICTS as error:
            assert "OC000" in str(error), error
    await beside
    assert attempts == 2
    assert (await Account.get(id=key)).balance == 21
    await connections.close_all()
    print("done")


run_async(main())
