"""The catalog: schemas, relations, roles and jobs, and everything a client can ask about them.

    model.py        immutable descriptions the planner reads        load.py       catalog rows -> Catalog
    store.py        catalog rows in trees 1..1023                   bootstrap.py  content of an empty directory
    ddl/            one file per family of statements               jobs.py       sys.jobs, backfill of indexes
    virtual.py      pg_catalog, information_schema, sys             functions.py  catalog functions
    settings.py     SET, SHOW, RESET, set_config                    context.py    who is asking (thread-local)

The package knows parse trees as PostgreSQL's grammar gives them and sessions as dsql_core.execute gives them; it never
plans a query. What it needs from the query processor (types of an expression, columns of a query) comes through
hooks.py, which the query processor fills when it starts.
"""
