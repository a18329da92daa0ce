"""Every refusal of DDL: statement -> SQLSTATE and message."""

import pytest
from opendsql.errors import DsqlError

SETUP = (
    "create table t (id bigint primary key, a int, b text, c varchar(20), j jsonb)",
    "create table nokey (a int)",
    "create table child (id bigint primary key, t_id bigint references t (id))",
    "create table ident (id bigint generated always as identity (cache 1) primary key, v int not null)",
    "create view v as select id, a from t",
    "create sequence s cache 1",
    "create domain posint as int check (value > 0)",
    "create index async t_b_idx on t (b)",
    "create unique index async t_a_u on t (a)",
    "create role r with login",
)
CACHE = "please define CACHE greater than or equal to 65536 or equal to 1"
U = "unsupported statement: "
A = "unsupported ALTER TABLE "

PROBES = [
    # 4.2 CREATE TABLE
    ("create table t (x int)", "42P07", 'relation "t" already exists'),
    ("create table x (a int primary key, b int primary key)", "42P16", 'multiple primary keys for table "x" are not allowed'),
    ("create table x (a int, a text)", "42701", 'column "a" specified more than once'),
    ("create table nosuch.x (a int)", "3F000", 'schema "nosuch" does not exist'),
    ("create table pg_catalog.x (a int)", "0A000", "feature not supported on system entity"),
    ("create table sys.x (a int)", "0A000", "feature not supported on system entity"),
    ("create table x (id int generated always as identity)", "0A000", f"identity column is not supported without an explicit cache size. {CACHE}"),
    ("create table x (id int generated always as identity (cache 1))", "0A000", "datatype integer not supported, identity column type must be bigint"),
    ("create table x (id serial)", "42704", 'type "serial" does not exist'),
    ("create table x (id bigserial)", "42704", 'type "bigserial" does not exist'),
    ("create table x (id smallserial)", "42704", 'type "smallserial" does not exist'),
    ("create table x (a text collate \"C\")", "0A000", "COLLATE clause not supported"),
    ("create table x (a int) with (fillfactor = 70)", "0A000", "WITH clause not supported for CREATE TABLE"),
    ("create temp table x (a int)", "0A000", "TEMPORARY or TEMP table not supported for CREATE TABLE"),
    ("create temporary table x (a int)", "0A000", "TEMPORARY or TEMP table not supported for CREATE TABLE"),
    ("create unlogged table x (a int)", "0A000", "UNLOGGED table not supported for CREATE TABLE"),
    ("create table x (a int) partition by range (a)", "0A000", "PARTITION BY clause not supported for CREATE TABLE"),
    ("create table x partition of t for values from (1) to (2)", "0A000", "PARTITION OF clause not supported for CREATE TABLE"),
    ("create table x () inherits (t)", "0A000", "INHERITS clause not supported for CREATE TABLE"),
    ("create table x (a int) tablespace pg_default", "0A000", "TABLESPACE clause not supported for CREATE TABLE"),
    ("create table x (a int) using heap", "0A000", "USING clause not supported for CREATE TABLE"),
    ("create table x (a int, exclude using gist (a with =))", "0A000", "EXCLUDE constraint not supported"),
    ("create table x (a int check (a > 0) deferrable)", "0A000", "CHECK constraints cannot be marked DEFERRABLE"),
    ("create table x (a int unique deferrable)", "0A000", "DEFERRABLE constraint not supported"),
    ("create table x (a int, primary key (a) deferrable initially deferred)", "0A000", "DEFERRABLE constraint not supported"),
    ("create table x (a int references nosuch)", "42P01", 'relation "nosuch" does not exist'),
    ("create table x (a int references nokey)", "42704", 'there is no primary key for referenced table "nokey"'),
    ("create table x (a int references t (b))", "42830", 'there is no unique constraint matching given keys for referenced table "t"'),
    ("create table x (a text references t)", "42804", 'foreign key constraint "x_a_fkey" cannot be implemented'),
    ("create table x (a int, unique (z))", "42703", 'column "z" named in key does not exist'),
    ("create table x (a int check (z > 0))", "42703", 'column "z" does not exist'),
    ("create table x (a int default b)", "0A000", "cannot use column reference in DEFAULT expression"),
    ("create table x (a int check (a in (select 1)))", "0A000", "cannot use subquery in check constraint"),
    ("create table x (a timestamptz generated always as (now()) stored)", "42P17", "generation expression is not immutable"),
    ("create table as_t as select 1", "0A000", U + "CreateTableAs"),
    ("create table x (" + ", ".join(f"c{i} int" for i in range(257)) + ")", "54011", "tables can have at most 255 columns"),
    ("create table x (c0 int primary key, " + ", ".join(f"c{i} int" for i in range(1, 257)) + ")", "54011", "cannot use more than 256 columns in an index"),
    ("create table x (" + ", ".join(f"c{i} int" for i in range(9)) + ", primary key (" + ", ".join(f"c{i}" for i in range(9)) + "))", "54011", "more than 8 column keys in an index are not supported"),
    ("create table x (a varchar(1500), b varchar(1500), primary key (a, b))", "54000", "key size greater than 2000 bytes not supported"),
    ("create table x (a jsonb primary key)", "0A000", "datatype jsonb is not supported in a key"),
    ("create table x (a interval unique)", "0A000", "datatype interval is not supported in a key"),
    ("create table x (a bytea primary key)", "0A000", "datatype bytea is not supported in a key"),
    # 4.7 types
    ("create table x (a int[])", "0A000", "datatype integer[] not supported"),
    ("create table x (a text[])", "0A000", "datatype text[] not supported"),
    ("create table x (a money)", "0A000", "datatype money not supported"),
    ("create table x (a xml)", "0A000", "datatype xml not supported"),
    ("create table x (a inet)", "0A000", "datatype inet not supported"),
    ("create table x (a point)", "0A000", "datatype point not supported"),
    ("create table x (a tsvector)", "0A000", "datatype tsvector not supported"),
    ("create table x (a bit(3))", "0A000", "datatype bit not supported"),
    ("create table x (a bit varying(3))", "0A000", "datatype bit varying not supported"),
    ("create table x (a int4range)", "0A000", "datatype int4range not supported"),
    ("create table x (a hstore)", "42704", 'type "hstore" does not exist'),
    ("create table x (a vector(3))", "42704", 'type "vector" does not exist'),
    ("create table x (a numeric(1001))", "22023", "NUMERIC precision 1001 must be between 1 and 1000"),
    ("create table x (a numeric(0))", "22023", "NUMERIC precision 0 must be between 1 and 1000"),
    ("create table x (a char(4097))", "54000", "Datatype limit greater than 4096 bytes not supported for char"),
    ("create table x (a varchar(65536))", "54000", "Datatype limit greater than 65535 bytes not supported for varchar"),
    # 4.3 ALTER TABLE
    ("alter table t add column x int default 1", "0A000", "ALTER TABLE ADD COLUMN with constraint not supported"),
    ("alter table t add column x int not null", "0A000", "ALTER TABLE ADD COLUMN with constraint not supported"),
    ("alter table t add column x int check (x > 0)", "0A000", "ALTER TABLE ADD COLUMN with constraint not supported"),
    ("alter table t add column x int unique", "0A000", "ALTER TABLE ADD COLUMN with constraint not supported"),
    ("alter table t add column x bigint references t", "0A000", "ALTER TABLE ADD COLUMN with constraint not supported"),
    ("alter table t add column x int generated always as (a) stored", "0A000", "ALTER TABLE ADD COLUMN with constraint not supported"),
    ("alter table t add column x money default 1", "0A000", "datatype money not supported"),
    ("alter table t add column x serial", "42704", 'type "serial" does not exist'),
    ("alter table t add column a int", "42701", 'column "a" of relation "t" already exists'),
    ("alter table t drop column id", "0A000", "cannot drop primary key column id"),
    ("alter table t drop column zz", "42703", 'column "zz" of relation "t" does not exist'),
    ("alter table t alter a set not null", "0A000", A + "ALTER COLUMN ... SET NOT NULL statement"),
    ("alter table t alter a type bigint", "0A000", A + "ALTER COLUMN ... SET DATA TYPE statement"),
    ("alter table t alter a set data type bigint using a", "0A000", A + "ALTER COLUMN ... SET DATA TYPE statement"),
    ("alter table t alter a set statistics 10", "0A000", A + "ALTER COLUMN ... SET STATISTICS statement"),
    ("alter table t alter b set compression lz4", "0A000", A + "ALTER COLUMN ... SET COMPRESSION statement"),
    ("alter table t add constraint k check (a > 0)", "0A000", A + "ADD CONSTRAINT statement"),
    ("alter table t add constraint k foreign key (a) references t (id)", "0A000", A + "ADD CONSTRAINT statement"),
    ("alter table nokey add primary key (a)", "0A000", A + "ADD CONSTRAINT statement"),
    ("alter table t add constraint k unique (a)", "0A000", A + "ADD CONSTRAINT statement"),
    ("alter table t add constraint k exclude using gist (a with =)", "0A000", A + "ADD CONSTRAINT statement"),
    ("alter table t add constraint k unique (a) not valid", "0A000", "UNIQUE constraints cannot be marked NOT VALID"),
    ("alter table nokey add primary key (a) not valid", "0A000", "PRIMARY KEY constraints cannot be marked NOT VALID"),
    ("alter table t add constraint k unique using index t_a_u", "55000", 'index "t_a_u" is not valid'),
    ("alter table t add constraint k unique using index nosuch", "42704", 'index "nosuch" does not exist'),
    ("alter table t add primary key using index t_a_u", "0A000", A + "ADD CONSTRAINT statement"),
    ("alter table t add constraint k unique using index t_a_u deferrable", "0A000", "ALTER TABLE / ADD CONSTRAINT UNIQUE / DEFERRED / INITIALLY DEFERRED not supported"),
    ("alter table t validate constraint k", "0A000", A + "VALIDATE CONSTRAINT statement"),
    ("alter table async t validate constraint k", "42704", 'constraint "k" of relation "t" does not exist'),
    ("alter table t drop constraint t_pkey", "0A000", A + "DROP CONSTRAINT statement"),
    ("alter table t drop constraint nosuch", "42704", 'constraint "nosuch" of relation "t" does not exist'),
    ("alter table t enable row level security", "0A000", A + "ENABLE ROW SECURITY statement"),
    ("alter table t set (fillfactor = 70)", "0A000", A + "SET statement"),
    ("alter table t set logged", "0A000", A + "SET LOGGED statement"),
    ("alter table t inherit child", "0A000", A + "INHERIT statement"),
    ("alter table t cluster on t_pkey", "0A000", A + "CLUSTER ON statement"),
    ("alter table t replica identity full", "0A000", A + "REPLICA IDENTITY statement"),
    ("alter table t set tablespace x", "0A000", A + "SET TABLESPACE statement"),
    ("alter table nosuch add column x int", "42P01", 'relation "nosuch" does not exist'),
    ("alter table sys.jobs add column x int", "0A000", "feature not supported on system entity"),
    ("alter table t alter id drop not null", "42P16", 'column "id" is in a primary key'),
    ("alter table ident alter v add generated always as identity", "0A000", f"identity column is not supported without an explicit cache size. {CACHE}"),
    ("alter table t rename column nosuch to x", "42703", 'column "nosuch" does not exist'),
    ("alter table t rename column a to b", "42701", 'column "b" of relation "t" already exists'),
    ("alter table t rename to nokey", "42P07", 'relation "nokey" already exists'),
    # 4.4 other
    ("create materialized view m as select 1", "0A000", U + "CreateTableAs"),
    ("refresh materialized view m", "0A000", U + "RefreshMatView"),
    ("create temp view x as select 1", "0A000", "TEMPORARY or TEMP view not supported for CREATE VIEW"),
    ("create view v as select 1", "42P07", 'relation "v" already exists'),
    ("create view x as select * from nosuch", "42P01", 'relation "nosuch" does not exist'),
    ("create sequence x", "0A000", f"CREATE SEQUENCE is not supported without an explicit cache size. {CACHE}"),
    ("create domain posint as int", "42710", 'type "posint" already exists'),
    ("drop domain posint cascade", "0A000", "DROP DOMAIN with CASCADE unsupported"),
    ("create type e as enum ('a')", "0A000", "CREATE TYPE not supported"),
    ("create type c as (a int)", "0A000", U + "CompositeType"),
    ("create type rr as range (subtype = int4)", "0A000", U + "CreateRange"),
    ("alter type e add value 'b'", "0A000", "ALTER TYPE not supported"),
    ("drop type e", "0A000", "unsupported object in DROP statement"),
    ("alter type e rename to f", "0A000", "unsupported object in RENAME statement"),
    ("create function f() returns int language plpgsql as 'begin return 1; end'", "0A000", "CREATE FUNCTION with language plpgsql not supported"),
    ("create procedure p() language sql as 'select 1'", "0A000", "PROCEDURE is not supported"),
    ("do 'begin end'", "0A000", U + "Do"),
    ("create trigger g before insert on t for each row execute function f()", "0A000", "CREATE TRIGGER not supported"),
    ("create policy p on t", "0A000", U + "CreatePolicy"),
    ("create extension if not exists hstore", "0A000", U + "CreateExtension"),
    ("create database d", "0A000", U + "Createdb"),
    ("create tablespace s location '/x'", "0A000", U + "CreateTableSpace"),
    ("create foreign table f (a int) server s", "0A000", U + "CreateForeignTable"),
    ("create text search configuration c (parser = default)", "0A000", U + "Define"),
    ("alter text search configuration c add mapping for word with simple", "0A000", U + "AlterTSConfiguration"),
    ("create aggregate g (int) (sfunc = int4pl, stype = int)", "0A000", U + "Define"),
    ("create rule r as on insert to t do nothing", "0A000", U + "Rule"),
    ("create publication p for all tables", "0A000", U + "CreatePublication"),
    ("listen x", "0A000", U + "Listen"),
    ("notify x", "0A000", U + "Notify"),
    ("unlisten *", "0A000", U + "Unlisten"),
    ("alter system set work_mem = '1MB'", "0A000", U + "AlterSystem"),
    ("lock table t", "0A000", U + "Lock"),
    ("truncate t", "0A000", U + "Truncate"),
    ("vacuum", "0A000", "unsupported VACUUM statement"),
    ("call sys.wait_for_job('nonsense')", "22P02", "Unable to convert text to UUID"),
    ("call sys.wait_for_job((select 'x'))", "0A000", "cannot use subquery in CALL argument"),
    ("drop table nosuch", "42P01", 'table "nosuch" does not exist'),
    ("drop view nosuch", "42P01", 'view "nosuch" does not exist'),
    ("drop view t", "42809", '"t" is not a view'),
    ("drop table v", "42809", '"v" is not a table'),
    ("drop index nosuch", "42704", 'index "nosuch" does not exist'),
    ("drop index t_pkey", "2BP01", "cannot drop index t_pkey because constraint t_pkey on table t requires it"),
    ("drop schema public", "0A000", "feature not supported on system entity"),
    ("drop schema nosuch", "3F000", 'schema "nosuch" does not exist'),
    ("drop table t", "2BP01", "cannot drop table t because other objects depend on it"),
    ("alter table t drop column a", "2BP01", "cannot drop column a of table t because other objects depend on it"),
    ("create role r", "42710", 'role "r" already exists'),
    ("create role x password 'x'", "0A000", "PASSWORD not supported for CREATE ROLE"),
    ("create role x superuser", "0A000", "SUPERUSER not supported for CREATE ROLE"),
    ("drop role nosuch", "42704", 'role "nosuch" does not exist'),
    ("grant usage on schema public to r", "0A000", "feature not supported on system entity"),
    ("grant select on t to nosuch", "42704", 'role "nosuch" does not exist'),
    ("aws iam grant nosuch to 'arn:aws:iam::123456789012:role/x'", "42704", "Role nosuch does not exist"),
    ("aws iam grant admin to 'arn:aws:iam::123456789012:role/x'", "0A000", "Role admin not supported"),
    ("aws iam grant r to 'me'", "22023", "IAM role must look like an IAM ARN"),
    ("alter statistics x set statistics 101", "22023", "statistics target 101 exceeds maximum allowed value of 100"),
    # 4.6 indexes
    ("create index i on t (a)", "0A000", "unsupported mode. please use CREATE INDEX ASYNC."),
    ("create index concurrently i on t (a)", "0A000", "CONCURRENTLY not supported for CREATE INDEX"),
    ("create index async i on t using btree (a)", "0A000", "USING not supported for CREATE INDEX"),
    ("create index i on t using gin (j)", "0A000", "USING not supported for CREATE INDEX"),
    ("create index i on public.t using btree (a)", "0A000", "USING not supported for CREATE INDEX"),
    ("create index async i on t (a desc)", "0A000", "specifying sort order not supported for index keys"),
    ("create index async i on t (a asc)", "0A000", "specifying sort order not supported for index keys"),
    ("create index async i on t (b text_pattern_ops)", "0A000", "opclass not supported for index keys"),
    ("create index async i on t (b collate \"C\")", "0A000", "COLLATE clause not supported"),
    ("create index async i on t (a) include ((b || c))", "0A000", "expressions are not supported in included columns"),
    ("create index async i on t (a) where now() > '2020-01-01'", "42P17", "functions in index predicate must be marked IMMUTABLE"),
    ("create index async i on t ((random()))", "42P17", "functions in index expression must be marked IMMUTABLE"),
    ("create index async i on t (j)", "0A000", "datatype jsonb is not supported in a key"),
    ("create index async i on t (zz)", "42703", 'column "zz" does not exist'),
    ("create index async i on nosuch (a)", "42P01", 'relation "nosuch" does not exist'),
    ("create index async t_b_idx on t (a)", "42P07", 'relation "t_b_idx" already exists'),
    ("create index async i on t (a,a,a,a,a,a,a,a,a)", "54011", "more than 8 column keys in an index are not supported"),
    ("create index async public.i on t (a)", "42601", 'syntax error at or near "."'),
    ("create index async if not exists on t (a)", "42601", 'syntax error at or near "on"'),
    # 1.5 SET
    ("set statement_timeout = 0", "0A000", 'setting configuration parameter "statement_timeout" not supported'),
    ("set app.user_id = 'x'", "0A000", 'setting configuration parameter "app.user_id" not supported'),
    ("set client_min_messages to warning", "0A000", 'setting configuration parameter "client_min_messages" not supported'),
    ("set transaction isolation level serializable", "0A000", "Unsupported isolation level: SERIALIZABLE"),
    ("set transaction read only", "0A000", 'setting configuration parameter "TRANSACTION" not supported'),
    ("set transaction isolation level repeatable read", "0A000", 'setting configuration parameter "TRANSACTION" not supported'),
    ("set role r", "0A000", 'setting configuration parameter "role" not supported'),
    ("show lc_collate", "42704", 'unrecognized configuration parameter "lc_collate"'),
    ("set timezone = 'Nowhere/Land'", "22023", 'invalid value for parameter "TimeZone": "Nowhere/Land"'),
    ("set enable_seqscan = maybe", "22023", 'parameter "enable_seqscan" requires a Boolean value'),
    ("set extra_float_digits = 4", "22023", '4 is outside the valid range for parameter "extra_float_digits" (-15 .. 3)'),
]


@pytest.fixture(scope="module")
def prepared():
    from fake_session import Directory

    directory = Directory()
    session = directory.session()
    for sql in SETUP:
        session.run(sql)
    return directory


@pytest.mark.parametrize(("sql", "sqlstate", "message"), PROBES, ids=[p[0][:60] for p in PROBES])
def test_refusal(prepared, sql, sqlstate, message):
    session = prepared.session()
    with pytest.raises(DsqlError) as caught:
        session.run(sql)
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


def test_one_ddl_per_transaction(session):
    session.begin()
    session.run("create table a (id int primary key)")
    with pytest.raises(DsqlError) as caught:
        session.run("create table b (id int primary key)")
    assert (caught.value.sqlstate, caught.value.message) == ("0A000", "multiple ddl statements not supported in a transaction")


def test_no_ddl_after_dml(session):
    session.begin()
    session.did_dml = True
    with pytest.raises(DsqlError) as caught:
        session.run("create table b (id int primary key)")
    assert caught.value.message == "ddl and dml are not supported in the same transaction"


def test_read_only(session):
    session.begin()
    session.read_only = True
    with pytest.raises(DsqlError) as caught:
        session.run("create table b (id int primary key)")
    assert (caught.value.sqlstate, caught.value.message) == ("25006", "cannot execute CREATE TABLE in a read-only transaction")


def test_limits(session):
    for number in range(10):
        session.run(f"create schema s{number}")
    with pytest.raises(DsqlError) as caught:
        session.run("create schema s10")
    assert (caught.value.sqlstate, caught.value.message) == ("54000", "more than 10 schemas not allowed")
    columns = ", ".join(f"c{i} int unique" for i in range(23))
    session.run(f"create table wide (id int primary key, {columns}, x int)")
    with pytest.raises(DsqlError) as caught:
        session.run("create index async on wide (x)")
    assert (caught.value.sqlstate, caught.value.message) == ("54000", "more than 24 indexes per table are not allowed")
