"""Functions of arrays, and the series generators.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# arrays
  378 array_append(anycompatiblearray, anycompatible) -> anycompatiblearray py:array_append  nulls
  379 array_prepend(anycompatible, anycompatiblearray) -> anycompatiblearray py:array_prepend  nulls
  383 array_cat(anycompatiblearray, anycompatiblearray) -> anycompatiblearray py:array_cat  nulls
  384 array_to_string(anyarray, text, text) -> text                      py:array_to_string  stable nulls
  395 array_to_string(anyarray, text) -> text                            py:array_to_string  stable
  376 string_to_array(text, text, text) -> text[]                        py:string_to_array  nulls
  394 string_to_array(text, text) -> text[]                              py:string_to_array  nulls
 2176 array_length(anyarray, int4) -> int4                               array_length
 2091 array_lower(anyarray, int4) -> int4                                array_lower
 2092 array_upper(anyarray, int4) -> int4                                array_upper
  748 array_ndims(anyarray) -> int4                                      array_ndims
  747 array_dims(anyarray) -> text                                       py:array_dims
 3179 cardinality(anyarray) -> int4                                      array_cardinality
 3277 array_position(anycompatiblearray, anycompatible) -> int4          py:array_position  nulls
 3278 array_position(anycompatiblearray, anycompatible, int4) -> int4    py:array_position  nulls
 3279 array_positions(anycompatiblearray, anycompatible) -> int4[]       py:array_positions  nulls
 3167 array_remove(anycompatiblearray, anycompatible) -> anycompatiblearray py:array_remove  nulls
 3168 array_replace(anycompatiblearray, anycompatible, anycompatible) -> anycompatiblearray py:array_replace  nulls
 1193 array_fill(anyelement, int4[]) -> anyarray                         py:array_fill  nulls
 1286 array_fill(anyelement, int4[], int4[]) -> anyarray                 py:array_fill  nulls
 6172 trim_array(anyarray, int4) -> anyarray                             py:trim_array
 2331 unnest(anyarray) -> setof anyelement                               srf:unnest
  938 generate_series(timestamp, timestamp, interval) -> setof timestamp srf:generate_series
  939 generate_series(timestamptz, timestamptz, interval) -> setof timestamptz srf:generate_series  stable
 1066 generate_series(int4, int4, int4) -> setof int4                    srf:generate_series
 1067 generate_series(int4, int4) -> setof int4                          srf:generate_series
 1068 generate_series(int8, int8, int8) -> setof int8                    srf:generate_series
 1069 generate_series(int8, int8) -> setof int8                          srf:generate_series
 3259 generate_series(numeric, numeric, numeric) -> setof numeric        srf:generate_series
 3260 generate_series(numeric, numeric) -> setof numeric                 srf:generate_series
 1191 generate_subscripts(anyarray, int4, bool) -> setof int4            srf:generate_subscripts
 1192 generate_subscripts(anyarray, int4) -> setof int4                  srf:generate_subscripts
 6215 array_shuffle(anyarray) -> anyarray                                 py:array_shuffle  volatile
 6216 array_sample(anyarray, int4) -> anyarray                            py:array_sample  volatile
""")
