"""Aggregates.

One line per overload, read as table.py says; `agg:<name>` is a name of the core's aggregate table. `ordered` marks
ordered-set aggregates: their last argument is the WITHIN GROUP expression.
"""

from opendsql.registry.table import functions

AGGREGATES = functions("""
 2147 count(any) -> int8                                        agg:count
 2803 count() -> int8                                            agg:count_star
 2107 sum(int8) -> numeric                                       agg:sum_int8
 2108 sum(int4) -> int8                                          agg:sum_int4
 2109 sum(int2) -> int8                                          agg:sum_int2
 2110 sum(float4) -> float4                                      agg:sum_float4
 2111 sum(float8) -> float8                                      agg:sum_float8
 2113 sum(interval) -> interval                                  agg:sum_interval
 2114 sum(numeric) -> numeric                                    agg:sum_numeric
 2100 avg(int8) -> numeric                                       agg:avg_int8
 2101 avg(int4) -> numeric                                       agg:avg_int4
 2102 avg(int2) -> numeric                                       agg:avg_int2
 2103 avg(numeric) -> numeric                                    agg:avg_numeric
 2104 avg(float4) -> float8                                      agg:avg_float4
 2105 avg(float8) -> float8                                      agg:avg_float8
 2106 avg(interval) -> interval                                  agg:avg_interval
 2051 min(anyarray) -> anyarray                                  agg:min_array
 2131 min(int8) -> int8                                          agg:min_int8
 2132 min(int4) -> int4                                          agg:min_int4
 2133 min(int2) -> int2                                          agg:min_int2
 2134 min(oid) -> oid                                            agg:min_oid
 2135 min(float4) -> float4                                      agg:min_float4
 2136 min(float8) -> float8                                      agg:min_float8
 2138 min(date) -> date                                          agg:min_date
 2139 min(time) -> time                                          agg:min_time
 2140 min(timetz) -> timetz                                      agg:min_timetz
 2142 min(timestamp) -> timestamp                                agg:min_timestamp
 2143 min(timestamptz) -> timestamptz                            agg:min_timestamptz
 2144 min(interval) -> interval                                  agg:min_interval
 2145 min(text) -> text                                          agg:min_text
 2146 min(numeric) -> numeric                                    agg:min_numeric
 2245 min(bpchar) -> bpchar                                      agg:min_bpchar
 2050 max(anyarray) -> anyarray                                  agg:max_array
 2115 max(int8) -> int8                                          agg:max_int8
 2116 max(int4) -> int4                                          agg:max_int4
 2117 max(int2) -> int2                                          agg:max_int2
 2118 max(oid) -> oid                                            agg:max_oid
 2119 max(float4) -> float4                                      agg:max_float4
 2120 max(float8) -> float8                                      agg:max_float8
 2122 max(date) -> date                                          agg:max_date
 2123 max(time) -> time                                          agg:max_time
 2124 max(timetz) -> timetz                                      agg:max_timetz
 2126 max(timestamp) -> timestamp                                agg:max_timestamp
 2127 max(timestamptz) -> timestamptz                            agg:max_timestamptz
 2128 max(interval) -> interval                                  agg:max_interval
 2129 max(text) -> text                                          agg:max_text
 2130 max(numeric) -> numeric                                    agg:max_numeric
 2244 max(bpchar) -> bpchar                                      agg:max_bpchar
 2517 bool_and(bool) -> bool                                     agg:bool_and
 2518 bool_or(bool) -> bool                                      agg:bool_or
 2519 every(bool) -> bool                                        agg:bool_and
 2236 bit_and(int2) -> int2                                      agg:bit_and_int2
 2238 bit_and(int4) -> int4                                      agg:bit_and_int4
 2240 bit_and(int8) -> int8                                      agg:bit_and_int8
 2237 bit_or(int2) -> int2                                       agg:bit_or_int2
 2239 bit_or(int4) -> int4                                       agg:bit_or_int4
 2241 bit_or(int8) -> int8                                       agg:bit_or_int8
 6164 bit_xor(int2) -> int2                                      agg:bit_xor_int2
 6165 bit_xor(int4) -> int4                                      agg:bit_xor_int4
 6166 bit_xor(int8) -> int8                                      agg:bit_xor_int8
 3538 string_agg(text, text) -> text                             agg:string_agg  nulls
 3545 string_agg(bytea, bytea) -> bytea                          agg:string_agg  nulls
 2335 array_agg(anynonarray) -> anyarray                         agg:array_agg  nulls
 4053 array_agg(anyarray) -> anyarray                            agg:array_agg_array  nulls
 3175 json_agg(anyelement) -> json                               agg:json_agg  nulls
 3267 jsonb_agg(anyelement) -> jsonb                             agg:jsonb_agg  nulls
 3197 json_object_agg(any, any) -> json                        agg:json_object_agg  nulls
 3270 jsonb_object_agg(any, any) -> jsonb                      agg:jsonb_object_agg  nulls
 6276 json_agg_strict(anyelement) -> json                        agg:json_agg_strict  nulls
 6284 jsonb_agg_strict(anyelement) -> jsonb                      agg:jsonb_agg_strict  nulls
 6280 json_object_agg_strict(any, any) -> json                   agg:json_object_agg_strict  nulls
 6288 jsonb_object_agg_strict(any, any) -> jsonb                 agg:jsonb_object_agg_strict  nulls
 2829 corr(float8, float8) -> float8                             agg:corr
 2827 covar_pop(float8, float8) -> float8                        agg:covar_pop
 2828 covar_samp(float8, float8) -> float8                       agg:covar_samp
 3984 mode(anyelement) -> anyelement                             agg:mode  ordered
 3974 percentile_cont(float8, float8) -> float8                  agg:percentile_cont  ordered
 3976 percentile_cont(float8, interval) -> interval              agg:percentile_cont_interval  ordered
 3980 percentile_cont(float8[], float8) -> float8[]              agg:percentile_cont_array  ordered
 3982 percentile_cont(float8[], interval) -> interval[]          agg:percentile_cont_array_interval  ordered
 3972 percentile_disc(float8, anyelement) -> anyelement          agg:percentile_disc  ordered
 3978 percentile_disc(float8[], anyelement) -> anyarray          agg:percentile_disc_array  ordered
 2822 regr_avgx(float8, float8) -> float8                        agg:regr_avgx
 2823 regr_avgy(float8, float8) -> float8                        agg:regr_avgy
 2818 regr_count(float8, float8) -> int8                         agg:regr_count
 2826 regr_intercept(float8, float8) -> float8                   agg:regr_intercept
 2824 regr_r2(float8, float8) -> float8                          agg:regr_r2
 2825 regr_slope(float8, float8) -> float8                       agg:regr_slope
 2819 regr_sxx(float8, float8) -> float8                         agg:regr_sxx
 2821 regr_sxy(float8, float8) -> float8                         agg:regr_sxy
 2820 regr_syy(float8, float8) -> float8                         agg:regr_syy
 2154 stddev(int8) -> numeric                                    agg:stddev_samp_int8
 2155 stddev(int4) -> numeric                                    agg:stddev_samp_int4
 2156 stddev(int2) -> numeric                                    agg:stddev_samp_int2
 2157 stddev(float4) -> float8                                   agg:stddev_samp_float4
 2158 stddev(float8) -> float8                                   agg:stddev_samp_float8
 2159 stddev(numeric) -> numeric                                 agg:stddev_samp_numeric
 2724 stddev_pop(int8) -> numeric                                agg:stddev_pop_int8
 2725 stddev_pop(int4) -> numeric                                agg:stddev_pop_int4
 2726 stddev_pop(int2) -> numeric                                agg:stddev_pop_int2
 2727 stddev_pop(float4) -> float8                               agg:stddev_pop_float4
 2728 stddev_pop(float8) -> float8                               agg:stddev_pop_float8
 2729 stddev_pop(numeric) -> numeric                             agg:stddev_pop_numeric
 2712 stddev_samp(int8) -> numeric                               agg:stddev_samp_int8
 2713 stddev_samp(int4) -> numeric                               agg:stddev_samp_int4
 2714 stddev_samp(int2) -> numeric                               agg:stddev_samp_int2
 2715 stddev_samp(float4) -> float8                              agg:stddev_samp_float4
 2716 stddev_samp(float8) -> float8                              agg:stddev_samp_float8
 2717 stddev_samp(numeric) -> numeric                            agg:stddev_samp_numeric
 2718 var_pop(int8) -> numeric                                   agg:var_pop_int8
 2719 var_pop(int4) -> numeric                                   agg:var_pop_int4
 2720 var_pop(int2) -> numeric                                   agg:var_pop_int2
 2721 var_pop(float4) -> float8                                  agg:var_pop_float4
 2722 var_pop(float8) -> float8                                  agg:var_pop_float8
 2723 var_pop(numeric) -> numeric                                agg:var_pop_numeric
 2641 var_samp(int8) -> numeric                                  agg:var_samp_int8
 2642 var_samp(int4) -> numeric                                  agg:var_samp_int4
 2643 var_samp(int2) -> numeric                                  agg:var_samp_int2
 2644 var_samp(float4) -> float8                                 agg:var_samp_float4
 2645 var_samp(float8) -> float8                                 agg:var_samp_float8
 2646 var_samp(numeric) -> numeric                               agg:var_samp_numeric
 2148 variance(int8) -> numeric                                  agg:var_samp_int8
 2149 variance(int4) -> numeric                                  agg:var_samp_int4
 2150 variance(int2) -> numeric                                  agg:var_samp_int2
 2151 variance(float4) -> float8                                 agg:var_samp_float4
 2152 variance(float8) -> float8                                 agg:var_samp_float8
 2153 variance(numeric) -> numeric                               agg:var_samp_numeric
# PostgreSQL 16 has it and 15 does not
 6292 any_value(anyelement) -> anyelement                        agg:any_value
""")
