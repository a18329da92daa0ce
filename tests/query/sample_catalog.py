"""Hand-made catalogs: pgbench's and TPC-C's tables, and two small ones (t, u) for texts and shapes of plans."""

from __future__ import annotations

from opendsql.catalog.model import Catalog, Column, Index, Relation, Schema, Table

INT2, INT4, INT8, TEXT, BPCHAR, VARCHAR, NUMERIC, TIMESTAMP = 21, 23, 20, 25, 1042, 1043, 1700, 1114
_oid = 26000


def table(name: str, columns: str, key: str = "", indexes: tuple[tuple[str, str, bool], ...] = ()) -> Table:
    """columns: `name type[!]` by commas, ! = NOT NULL; key: columns; indexes: (name, columns, unique)."""
    global _oid
    _oid += 10
    oid = _oid
    types = {"int": INT4, "bigint": INT8, "smallint": INT2, "text": TEXT, "numeric": NUMERIC, "timestamp": TIMESTAMP,
             "char": BPCHAR, "varchar": VARCHAR}  # fmt: skip
    made = []
    for number, part in enumerate(columns.split(","), 1):
        column, kind = part.split()
        made.append(Column(column, number, types[kind.rstrip("!")], not_null=kind.endswith("!")))
    by_name = {c.name: c for c in made}

    def index(number: int, label: str, keys: str, unique: bool, primary: bool = False) -> Index:
        names = tuple(keys.split(","))
        return Index(
            oid + number, label, oid, names, tuple(by_name[n].type_oid for n in names), unique=unique, primary=primary,
            constraint=label if unique else None,
        )  # fmt: skip

    primary = index(1, f"{name}_pkey", key, True, True) if key else None
    others = tuple(index(2 + i, *entry) for i, entry in enumerate(indexes))
    return Table(oid, "public", name, tuple(made), primary_key=primary, indexes=others)


TABLES = (
    table("pgbench_accounts", "aid int!,bid int,abalance int,filler char", "aid"),
    table("pgbench_branches", "bid int!,bbalance int,filler char", "bid"),
    table("pgbench_tellers", "tid int!,bid int,tbalance int,filler char", "tid"),
    table("pgbench_history", "tid int,bid int,aid int,delta int,mtime timestamp,filler char"),
    table("warehouse", "w_id int!,w_name varchar,w_tax numeric,w_ytd numeric", "w_id"),
    table("district", "d_w_id int!,d_id int!,d_tax numeric,d_ytd numeric,d_next_o_id int", "d_w_id,d_id"),
    table(
        "customer",
        "c_w_id int!,c_d_id int!,c_id int!,c_first varchar,c_last varchar,c_credit char,c_discount numeric,"
        "c_balance numeric,c_payment_cnt int,c_data varchar",
        "c_w_id,c_d_id,c_id",
        (("customer_name", "c_w_id,c_d_id,c_last,c_first", False),),
    ),
    table("history", "h_c_id int,h_c_d_id int,h_c_w_id int,h_date timestamp,h_amount numeric,h_data varchar"),
    table("new_order", "no_w_id int!,no_d_id int!,no_o_id int!", "no_w_id,no_d_id,no_o_id"),
    table(
        "oorder",
        "o_w_id int!,o_d_id int!,o_id int!,o_c_id int,o_carrier_id int,o_ol_cnt int,o_entry_d timestamp",
        "o_w_id,o_d_id,o_id",
        (("oorder_customer", "o_w_id,o_d_id,o_c_id,o_id", True),),
    ),
    table(
        "order_line",
        "ol_w_id int!,ol_d_id int!,ol_o_id int!,ol_number int!,ol_i_id int!,ol_delivery_d timestamp,ol_amount numeric,"
        "ol_supply_w_id int,ol_quantity int,ol_dist_info char",
        "ol_w_id,ol_d_id,ol_o_id,ol_number",
    ),
    table("item", "i_id int!,i_name varchar,i_price numeric,i_data varchar", "i_id"),
    table(
        "stock", "s_w_id int!,s_i_id int!,s_quantity int,s_ytd numeric,s_order_cnt int,s_data varchar", "s_w_id,s_i_id"
    ),
    table("t", "id int!,v text,n bigint,d numeric", "id", (("t_v_idx", "v", False), ("t_n_key", "n", True))),
    table("u", "a int!,b bigint!,t_id int,s smallint", "a,b"),
    table("keyless", "x int,y text"),
)
_relations: dict[tuple[str, str], Relation] = {("public", t.name): t for t in TABLES}
CATALOG = Catalog(
    7, {"public": Schema(2200, "public"), "pg_catalog": Schema(11, "pg_catalog")}, _relations, {},
    {t.oid: t for t in TABLES} | {i.oid: i for t in TABLES for i in (t.primary_key, *t.indexes) if i is not None},
)  # fmt: skip
