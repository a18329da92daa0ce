"""Functions of schema sys, DSQL's own.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).

The oids are ours: DSQL publishes none. All are hooks of the catalog; sys.wait_for_job is a procedure and not here.
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
15601 base32_str_to_uuid(text) -> uuid                                   hook:base32_str_to_uuid
15602 uuid_to_base32_str(uuid) -> text                                   hook:uuid_to_base32_str
15603 base_type_oid(oid) -> oid                                          hook:base_type_oid  stable
15604 dsql_major_version() -> int4                                       hook:dsql_major_version  stable
15605 current_session_id() -> text                                       hook:current_session_id  stable
15606 current_transaction_id() -> text                                   hook:current_transaction_id  stable
15607 iam_session_user() -> text                                         hook:iam_session_user  stable
15608 cluster_size() -> int8                                             hook:cluster_size  volatile
15609 cluster_size_limit() -> int8                                       hook:cluster_size_limit  stable
""")
