"""Functions that look at the session and the catalog.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).

`hook:` functions are implemented by the catalog (pyfunctions.register_pyfunction).
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# session and catalog
   89 version() -> text                                                  hook:version  stable
  861 current_database() -> name                                         hook:current_database  stable
 1402 current_schema() -> name                                           hook:current_schema  stable
 1403 current_schemas(bool) -> name[]                                    hook:current_schemas  stable
  745 current_user() -> name                                             hook:current_user  stable
 6311 system_user() -> text                                              py:system_user  stable
  746 session_user() -> name                                             hook:session_user  stable
 2077 current_setting(text) -> text                                      hook:current_setting  stable
 3294 current_setting(text, bool) -> text                                hook:current_setting  stable
 2078 set_config(text, text, bool) -> text                               hook:set_config  volatile nulls
 1619 pg_typeof(any) -> regtype                                          py:pg_typeof  stable nulls
 2026 pg_backend_pid() -> int4                                           hook:pg_backend_pid  stable
  810 pg_client_encoding() -> name                                       hook:pg_client_encoding  stable
 1264 pg_char_to_encoding(name) -> int4                                  py:pg_char_to_encoding  stable
 1597 pg_encoding_to_char(int4) -> name                                  py:pg_encoding_to_char  stable
 1039 getdatabaseencoding() -> name                                      hook:getdatabaseencoding  stable
 1269 pg_column_size(any) -> int4                                        py:pg_column_size  stable
 1081 format_type(oid, int4) -> text                                     py:format_type  stable nulls
 1642 pg_get_userbyid(oid) -> name                                       hook:pg_get_userbyid  stable
 1640 pg_get_viewdef(text) -> text                                       hook:pg_get_viewdef  stable
 1641 pg_get_viewdef(oid) -> text                                        hook:pg_get_viewdef  stable
 2505 pg_get_viewdef(text, bool) -> text                                 hook:pg_get_viewdef  stable
 2506 pg_get_viewdef(oid, bool) -> text                                  hook:pg_get_viewdef  stable
 3159 pg_get_viewdef(oid, int4) -> text                                  hook:pg_get_viewdef  stable
 1643 pg_get_indexdef(oid) -> text                                       hook:pg_get_indexdef  stable
 2507 pg_get_indexdef(oid, int4, bool) -> text                           hook:pg_get_indexdef  stable
 1387 pg_get_constraintdef(oid) -> text                                  hook:pg_get_constraintdef  stable
 2508 pg_get_constraintdef(oid, bool) -> text                            hook:pg_get_constraintdef  stable
 1716 pg_get_expr(pg_node_tree, oid) -> text                             hook:pg_get_expr  stable
 2509 pg_get_expr(pg_node_tree, oid, bool) -> text                       hook:pg_get_expr  stable
 1665 pg_get_serial_sequence(text, text) -> text                         hook:pg_get_serial_sequence  stable
 2098 pg_get_functiondef(oid) -> text                                    hook:pg_get_functiondef  stable
 2165 pg_get_function_result(oid) -> text                                hook:pg_get_function_result  stable
 2162 pg_get_function_arguments(oid) -> text                             hook:pg_get_function_arguments  stable
 2232 pg_get_function_identity_arguments(oid) -> text                    hook:pg_get_function_identity_arguments  stable
 3352 pg_get_partkeydef(oid) -> text                                     hook:pg_get_partkeydef  stable
 3425 pg_partition_ancestors(regclass) -> regclass                       hook:pg_partition_ancestors  stable
 6121 pg_relation_is_publishable(regclass) -> bool                        hook:pg_relation_is_publishable  stable
 3408 pg_get_partition_constraintdef(oid) -> text                        hook:pg_get_partition_constraintdef  stable
 3424 pg_partition_root(regclass) -> regclass                            hook:pg_partition_root  stable
 1573 pg_get_ruledef(oid) -> text                                        hook:pg_get_ruledef  stable
 2504 pg_get_ruledef(oid, bool) -> text                                  hook:pg_get_ruledef  stable
 1662 pg_get_triggerdef(oid) -> text                                     hook:pg_get_triggerdef  stable
 2730 pg_get_triggerdef(oid, bool) -> text                               hook:pg_get_triggerdef  stable
 3415 pg_get_statisticsobjdef(oid) -> text                               hook:pg_get_statisticsobjdef  stable
 6174 pg_get_statisticsobjdef_columns(oid) -> text                       hook:pg_get_statisticsobjdef_columns  stable
 6173 pg_get_statisticsobjdef_expressions(oid) -> text[]                 hook:pg_get_statisticsobjdef_expressions  stable
 2079 pg_table_is_visible(oid) -> bool                                   hook:pg_table_is_visible  stable
 2080 pg_type_is_visible(oid) -> bool                                    hook:pg_type_is_visible  stable
 2081 pg_function_is_visible(oid) -> bool                                hook:pg_function_is_visible  stable
 2082 pg_operator_is_visible(oid) -> bool                                hook:pg_operator_is_visible  stable
 2083 pg_opclass_is_visible(oid) -> bool                                 hook:pg_opclass_is_visible  stable
 3829 pg_opfamily_is_visible(oid) -> bool                                hook:pg_opfamily_is_visible  stable
 3815 pg_collation_is_visible(oid) -> bool                               hook:pg_collation_is_visible  stable
 2093 pg_conversion_is_visible(oid) -> bool                              hook:pg_conversion_is_visible  stable
 3403 pg_statistics_obj_is_visible(oid) -> bool                          hook:pg_statistics_obj_is_visible  stable
 3758 pg_ts_config_is_visible(oid) -> bool                               hook:pg_ts_config_is_visible  stable
 1215 obj_description(oid, name) -> text                                 hook:obj_description  stable
 1348 obj_description(oid) -> text                                       hook:obj_description  stable
 1216 col_description(oid, int4) -> text                                 hook:col_description  stable
 1993 shobj_description(oid, name) -> text                               hook:shobj_description  stable
 3495 to_regclass(text) -> regclass                                      hook:to_regclass  stable
 3493 to_regtype(text) -> regtype                                        hook:to_regtype  stable
 3494 to_regproc(text) -> regproc                                        hook:to_regproc  stable
 3479 to_regprocedure(text) -> regprocedure                              hook:to_regprocedure  stable
 4086 to_regnamespace(text) -> regnamespace                              hook:to_regnamespace  stable
 4093 to_regrole(text) -> regrole                                        hook:to_regrole  stable
 1574 nextval(regclass) -> int8                                          hook:nextval  volatile
 1575 currval(regclass) -> int8                                          hook:currval  volatile
 2559 lastval() -> int8                                                  hook:lastval  volatile
 1576 setval(regclass, int8) -> int8                                     hook:setval  volatile
 1765 setval(regclass, int8, bool) -> int8                               hook:setval  volatile
 3810 pg_is_in_recovery() -> bool                                        hook:pg_is_in_recovery  volatile
 2855 pg_is_other_temp_schema(oid) -> bool                               hook:pg_is_other_temp_schema  stable
 2854 pg_my_temp_schema() -> oid                                         hook:pg_my_temp_schema  stable
 2560 pg_postmaster_start_time() -> timestamptz                          hook:pg_postmaster_start_time  stable
 2034 pg_conf_load_time() -> timestamptz                                 hook:pg_conf_load_time  stable
 3778 pg_tablespace_location(oid) -> text                                hook:pg_tablespace_location  stable
 2288 pg_size_pretty(int8) -> text                                       py:pg_size_pretty
 3166 pg_size_pretty(numeric) -> text                                    py:pg_size_pretty
 3334 pg_size_bytes(text) -> int8                                        py:pg_size_bytes
  638 pg_index_column_has_property(regclass, int4, text) -> bool         hook:pg_index_column_has_property  stable
  637 pg_index_has_property(regclass, text) -> bool                      hook:pg_index_has_property  stable
  636 pg_indexam_has_property(oid, text) -> bool                         hook:pg_indexam_has_property  stable
 3078 pg_sequence_parameters(oid) -> record(start_value int8, minimum_value int8, maximum_value int8, increment int8, cycle_option bool, cache_size int8, data_type oid) hook:pg_sequence_parameters  stable
 4032 pg_sequence_last_value(regclass) -> int8                           hook:pg_sequence_last_value  volatile
 2196 inet_client_addr() -> inet                                         hook:inet_client_addr  stable nulls
 2197 inet_client_port() -> int4                                         hook:inet_client_port  stable nulls
 2943 txid_current() -> int8                                             hook:txid_current  stable
 3348 txid_current_if_assigned() -> int8                                 hook:txid_current_if_assigned  stable
 5059 pg_current_xact_id() -> xid8                                       hook:pg_current_xact_id  stable
 5060 pg_current_xact_id_if_assigned() -> xid8                           hook:pg_current_xact_id_if_assigned  stable
 3298 row_security_active(oid) -> bool                                   hook:row_security_active  stable
 3299 row_security_active(text) -> bool                                  hook:row_security_active  stable
 3842 pg_relation_is_updatable(regclass, bool) -> int4                   hook:pg_relation_is_updatable  stable
 3843 pg_column_is_updatable(regclass, int2, bool) -> bool               hook:pg_column_is_updatable  stable
 2171 pg_cancel_backend(int4) -> bool                                    hook:pg_cancel_backend  volatile
 2096 pg_terminate_backend(int4, timeout int8 = 0) -> bool               hook:pg_terminate_backend  volatile
 2561 pg_blocking_pids(int4) -> int4[]                                   hook:pg_blocking_pids  volatile
 3163 pg_trigger_depth() -> int4                                         hook:pg_trigger_depth  stable
 3537 pg_describe_object(oid, oid, int4) -> text                         hook:pg_describe_object  stable
 3839 pg_identify_object(oid, oid, int4) -> record(type text, schema text, name text, identity text) hook:pg_identify_object  stable
 3432 gen_random_uuid() -> uuid                                          gen_random_uuid  volatile
 3808 pg_get_function_arg_default(oid, int4) -> text                     hook:pg_get_function_arg_default  stable
 6197 pg_get_function_sqlbody(oid) -> text                               hook:pg_get_function_sqlbody  stable
 2999 pg_relation_filenode(regclass) -> oid                              hook:pg_relation_filenode  stable
 3454 pg_filenode_relation(oid, oid) -> regclass                         hook:pg_filenode_relation  stable
  817 current_query() -> text                                            hook:current_query  volatile nulls
 1928 pg_stat_get_numscans(oid) -> int8                                  hook:pg_stat_get_numscans  stable
 1931 pg_stat_get_tuples_inserted(oid) -> int8                           hook:pg_stat_get_tuples_inserted  stable
 1349 oidvectortypes(oidvector) -> text                                  hook:oidvectortypes  stable
 3757 pg_ts_dict_is_visible(oid) -> bool                                 hook:pg_ts_dict_is_visible  stable
 3756 pg_ts_parser_is_visible(oid) -> bool                               hook:pg_ts_parser_is_visible  stable
 3768 pg_ts_template_is_visible(oid) -> bool                             hook:pg_ts_template_is_visible  stable
 3162 pg_collation_for(any) -> text                                      hook:pg_collation_for  stable nulls
  400 hashtext(text) -> int4                                             hook:hashtext
  450 hashint4(int4) -> int4                                             hook:hashint4
  949 hashint8(int8) -> int4                                             hook:hashint8
""")
