-- What every probe finds: made anew after each probe that changed something.
set disable_sync_create_index = off
create role r with login
create table t (id bigint primary key, a int, b text, c varchar(20), j jsonb)
create table nokey (a int)
create table child (id bigint primary key, t_id bigint references t (id))
create table ident (id bigint generated always as identity (cache 1) primary key, v bigint not null)
create table typed (id uuid primary key, n numeric(10,2) unique, k bigint not null, d date, ts timestamptz, f boolean)
create table notes (id bigint primary key, body text not null default 'empty', size int constraint size_positive check (size > 0), twice int generated always as (size * 2) stored)
create view v as select id, a from t
create sequence s cache 1
create domain posint as int constraint posint_check check (value > 0)
create function double(x int) returns int language sql immutable return x * 2
create unique index t_a_u on t (a)
create index t_b_idx on t (b)
create schema shop
create table shop.item (id bigint primary key, price numeric(8,2))
create statistics st on a, b from t
insert into t values (1, 10, 'one', 'x', '{"k": 1}'), (2, 20, 'two', 'y', '{"k": 2}')
insert into child values (1, 1)
insert into notes (id, size) values (1, 5)
