"""aurora-dsql-django: migrations of contenttypes, sessions and an app of ours, ORM, a conflict and its retry."""

import os
import sys
import threading
import types
from pathlib import Path

import django
from django.conf import settings

place = Path(sys.argv[1])
(place / "shop" / "migrations").mkdir(parents=True)
(place / "shop" / "__init__.py").touch()
(place / "shop" / "migrations" / "__init__.py").touch()
(place / "shop" / "models.py").write_text(
    """
from django.db import models

class Owner(models.Model):
    name = models.CharField(max_length=40, db_index=True)

class Account(models.Model):
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="accounts")
    balance = models.IntegerField()
    note = models.JSONField(default=dict)
    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(balance__gte=-1000), name="balance_floor")]
"""
)
sys.path.insert(0, str(place))
settings.configure(
    DATABASES={"default": {
        "ENGINE": "aurora_dsql_django", "HOST": os.environ["DSQL_HOST"], "USER": "admin", "NAME": "postgres",
        "OPTIONS": {"sslmode": "verify-full"},
    }},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.sessions", "shop"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, SECRET_KEY="x",
)  # fmt: skip
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connection, transaction  # noqa: E402

call_command("makemigrations", "shop", verbosity=0)
for attempt in range(5):
    try:
        call_command("migrate", verbosity=1)
        break
    except OperationalError as error:  # the job of an index the migration has just asked for finished in the middle of its next DDL
        assert "OC001" in str(error) and attempt < 4, error
shop: types.ModuleType = __import__("shop.models").models
with connection.cursor() as cursor:
    cursor.execute("SELECT job_id FROM sys.jobs WHERE status NOT IN ('completed', 'failed')")
    for (job,) in cursor.fetchall():
        cursor.execute("CALL sys.wait_for_job(%s)", [job])
        assert cursor.fetchone() == (True,), job
    assert "shop_account" in connection.introspection.table_names(cursor)
    assert any(c["index"] for c in connection.introspection.get_constraints(cursor, "shop_owner").values())

for number in range(20):
    owner = shop.Owner.objects.create(name=f"name {number}")
    shop.Account.objects.bulk_create([shop.Account(owner=owner, balance=number, note={"n": number}), shop.Account(owner=owner, balance=-number)])
assert shop.Account.objects.filter(owner__name__startswith="name 1").count() == 22
account = shop.Account.objects.get(balance=7)
assert account.note == {"n": 7}
key = account.pk


def add(amount: int) -> None:
    """In a thread, which has a connection of its own."""
    shop.Account.objects.filter(pk=key).update(balance=amount)
    connection.close()


attempts = 0
while True:
    attempts += 1
    try:
        with transaction.atomic():
            account = shop.Account.objects.get(pk=key)
            if attempts == 1:
                other = threading.Thread(target=add, args=(20,))
                other.start()
                other.join()
            account.balance += 1
            account.save()
        break
    except OperationalError as error:
        assert error.__cause__.sqlstate == "40001", error
assert attempts == 2
assert shop.Account.objects.get(pk=key).balance == 21
shop.Owner.objects.get(name="name 7").delete()
assert not shop.Account.objects.filter(pk=key).exists()
print("done")
