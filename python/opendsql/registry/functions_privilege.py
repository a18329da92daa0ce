"""Functions that ask for privileges.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).

All are hooks of the catalog.
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# privileges
 1922 has_table_privilege(name, text, text) -> bool                      hook:has_table_privilege  stable
 1923 has_table_privilege(name, oid, text) -> bool                       hook:has_table_privilege  stable
 1924 has_table_privilege(oid, text, text) -> bool                       hook:has_table_privilege  stable
 1925 has_table_privilege(oid, oid, text) -> bool                        hook:has_table_privilege  stable
 1926 has_table_privilege(text, text) -> bool                            hook:has_table_privilege  stable
 1927 has_table_privilege(oid, text) -> bool                             hook:has_table_privilege  stable
 2268 has_schema_privilege(name, text, text) -> bool                     hook:has_schema_privilege  stable
 2269 has_schema_privilege(name, oid, text) -> bool                      hook:has_schema_privilege  stable
 2270 has_schema_privilege(oid, text, text) -> bool                      hook:has_schema_privilege  stable
 2271 has_schema_privilege(oid, oid, text) -> bool                       hook:has_schema_privilege  stable
 2272 has_schema_privilege(text, text) -> bool                           hook:has_schema_privilege  stable
 2273 has_schema_privilege(oid, text) -> bool                            hook:has_schema_privilege  stable
 2250 has_database_privilege(name, text, text) -> bool                   hook:has_database_privilege  stable
 2251 has_database_privilege(name, oid, text) -> bool                    hook:has_database_privilege  stable
 2252 has_database_privilege(oid, text, text) -> bool                    hook:has_database_privilege  stable
 2253 has_database_privilege(oid, oid, text) -> bool                     hook:has_database_privilege  stable
 2254 has_database_privilege(text, text) -> bool                         hook:has_database_privilege  stable
 2255 has_database_privilege(oid, text) -> bool                          hook:has_database_privilege  stable
 3012 has_column_privilege(name, text, text, text) -> bool               hook:has_column_privilege  stable
 3013 has_column_privilege(name, text, int2, text) -> bool               hook:has_column_privilege  stable
 3014 has_column_privilege(name, oid, text, text) -> bool                hook:has_column_privilege  stable
 3015 has_column_privilege(name, oid, int2, text) -> bool                hook:has_column_privilege  stable
 3016 has_column_privilege(oid, text, text, text) -> bool                hook:has_column_privilege  stable
 3017 has_column_privilege(oid, text, int2, text) -> bool                hook:has_column_privilege  stable
 3018 has_column_privilege(oid, oid, text, text) -> bool                 hook:has_column_privilege  stable
 3019 has_column_privilege(oid, oid, int2, text) -> bool                 hook:has_column_privilege  stable
 3020 has_column_privilege(text, text, text) -> bool                     hook:has_column_privilege  stable
 3021 has_column_privilege(text, int2, text) -> bool                     hook:has_column_privilege  stable
 3022 has_column_privilege(oid, text, text) -> bool                      hook:has_column_privilege  stable
 3023 has_column_privilege(oid, int2, text) -> bool                      hook:has_column_privilege  stable
 3024 has_any_column_privilege(name, text, text) -> bool                 hook:has_any_column_privilege  stable
 3025 has_any_column_privilege(name, oid, text) -> bool                  hook:has_any_column_privilege  stable
 3026 has_any_column_privilege(oid, text, text) -> bool                  hook:has_any_column_privilege  stable
 3027 has_any_column_privilege(oid, oid, text) -> bool                   hook:has_any_column_privilege  stable
 3028 has_any_column_privilege(text, text) -> bool                       hook:has_any_column_privilege  stable
 3029 has_any_column_privilege(oid, text) -> bool                        hook:has_any_column_privilege  stable
 2256 has_function_privilege(name, text, text) -> bool                   hook:has_function_privilege  stable
 2257 has_function_privilege(name, oid, text) -> bool                    hook:has_function_privilege  stable
 2258 has_function_privilege(oid, text, text) -> bool                    hook:has_function_privilege  stable
 2259 has_function_privilege(oid, oid, text) -> bool                     hook:has_function_privilege  stable
 2260 has_function_privilege(text, text) -> bool                         hook:has_function_privilege  stable
 2261 has_function_privilege(oid, text) -> bool                          hook:has_function_privilege  stable
 2181 has_sequence_privilege(name, text, text) -> bool                   hook:has_sequence_privilege  stable
 2182 has_sequence_privilege(name, oid, text) -> bool                    hook:has_sequence_privilege  stable
 2183 has_sequence_privilege(oid, text, text) -> bool                    hook:has_sequence_privilege  stable
 2184 has_sequence_privilege(oid, oid, text) -> bool                     hook:has_sequence_privilege  stable
 2185 has_sequence_privilege(text, text) -> bool                         hook:has_sequence_privilege  stable
 2186 has_sequence_privilege(oid, text) -> bool                          hook:has_sequence_privilege  stable
 3138 has_type_privilege(name, text, text) -> bool                       hook:has_type_privilege  stable
 3139 has_type_privilege(name, oid, text) -> bool                        hook:has_type_privilege  stable
 3140 has_type_privilege(oid, text, text) -> bool                        hook:has_type_privilege  stable
 3141 has_type_privilege(oid, oid, text) -> bool                         hook:has_type_privilege  stable
 3142 has_type_privilege(text, text) -> bool                             hook:has_type_privilege  stable
 3143 has_type_privilege(oid, text) -> bool                              hook:has_type_privilege  stable
 2262 has_language_privilege(name, text, text) -> bool                   hook:has_language_privilege  stable
 2263 has_language_privilege(name, oid, text) -> bool                    hook:has_language_privilege  stable
 2264 has_language_privilege(oid, text, text) -> bool                    hook:has_language_privilege  stable
 2265 has_language_privilege(oid, oid, text) -> bool                     hook:has_language_privilege  stable
 2266 has_language_privilege(text, text) -> bool                         hook:has_language_privilege  stable
 2267 has_language_privilege(oid, text) -> bool                          hook:has_language_privilege  stable
 2390 has_tablespace_privilege(name, text, text) -> bool                 hook:has_tablespace_privilege  stable
 2391 has_tablespace_privilege(name, oid, text) -> bool                  hook:has_tablespace_privilege  stable
 2392 has_tablespace_privilege(oid, text, text) -> bool                  hook:has_tablespace_privilege  stable
 2393 has_tablespace_privilege(oid, oid, text) -> bool                   hook:has_tablespace_privilege  stable
 2394 has_tablespace_privilege(text, text) -> bool                       hook:has_tablespace_privilege  stable
 2395 has_tablespace_privilege(oid, text) -> bool                        hook:has_tablespace_privilege  stable
 2705 pg_has_role(name, name, text) -> bool                              hook:pg_has_role  stable
 2706 pg_has_role(name, oid, text) -> bool                               hook:pg_has_role  stable
 2707 pg_has_role(oid, name, text) -> bool                               hook:pg_has_role  stable
 2708 pg_has_role(oid, oid, text) -> bool                                hook:pg_has_role  stable
 2709 pg_has_role(name, text) -> bool                                    hook:pg_has_role  stable
 2710 pg_has_role(oid, text) -> bool                                     hook:pg_has_role  stable
""")
