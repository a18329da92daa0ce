"""Window functions (those that are not aggregates with OVER).

One line per overload, read as table.py says; the names are the ones the window operator of the core knows.
"""

from opendsql.registry.table import functions

WINDOWS = functions("""
 3100 row_number() -> int8                                        win:row_number
 3101 rank() -> int8                                              win:rank
 3102 dense_rank() -> int8                                        win:dense_rank
 3103 percent_rank() -> float8                                    win:percent_rank
 3104 cume_dist() -> float8                                       win:cume_dist
 3105 ntile(int4) -> int4                                         win:ntile
 3106 lag(anyelement) -> anyelement                               win:lag
 3107 lag(anyelement, int4) -> anyelement                         win:lag
 3108 lag(anycompatible, int4, anycompatible) -> anycompatible    win:lag
 3109 lead(anyelement) -> anyelement                              win:lead
 3110 lead(anyelement, int4) -> anyelement                        win:lead
 3111 lead(anycompatible, int4, anycompatible) -> anycompatible   win:lead
 3112 first_value(anyelement) -> anyelement                       win:first_value
 3113 last_value(anyelement) -> anyelement                        win:last_value
 3114 nth_value(anyelement, int4) -> anyelement                   win:nth_value
""")
