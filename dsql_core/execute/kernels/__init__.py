"""The kernels: importing this package registers every one of them.

One module per family; the names are PostgreSQL's internal ones (int4pl, textlike, date_pli ...), shared with the
registry of opendsql.registry only. `call` and `aggregate` run one by name over text values (tests, debugging).
"""

from dsql_core.execute.kernels import (  # noqa: F401
    aggregates_collect,
    aggregates_number,
    aggregates_order,
    aggregates_statistics,
    arithmetic,
    array,
    bytea,
    casts,
    clock,
    comparison,
    conditional,
    datetime,
    datetime_casts,
    datetime_extract,
    datetime_trunc,
    json_build,
    json_read,
    like,
    math,
    numeric,
    refusal,
    text,
    text_build,
    uuid,
    zones,
)
from dsql_core.execute.kernels.harness import KernelError, aggregate, call  # noqa: F401
