"""Functions of dates and times.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# dates and times
 1299 now() -> timestamptz                                               now  stable
 2647 transaction_timestamp() -> timestamptz                             now  stable
 2648 statement_timestamp() -> timestamptz                               statement_timestamp  stable
 2649 clock_timestamp() -> timestamptz                                   clock_timestamp  volatile
  274 timeofday() -> text                                                py:timeofday  volatile
 6199 extract(text, date) -> numeric                                     extract
 6200 extract(text, time) -> numeric                                     extract
 6201 extract(text, timetz) -> numeric                                   extract
 6202 extract(text, timestamp) -> numeric                                extract
 6203 extract(text, timestamptz) -> numeric                              extract  stable
 6204 extract(text, interval) -> numeric                                 extract
 1171 date_part(text, timestamptz) -> float8                             date_part  stable
 1172 date_part(text, interval) -> float8                                date_part
 1273 date_part(text, timetz) -> float8                                  date_part
 1384 date_part(text, date) -> float8                                    date_part
 1385 date_part(text, time) -> float8                                    date_part
 2021 date_part(text, timestamp) -> float8                               date_part
 1217 date_trunc(text, timestamptz) -> timestamptz                       timestamptz_trunc  stable
 1218 date_trunc(text, interval) -> interval                             interval_trunc
 1284 date_trunc(text, timestamptz, text) -> timestamptz                 timestamptz_trunc_zone  stable
 2020 date_trunc(text, timestamp) -> timestamp                           timestamp_trunc
 6177 date_bin(interval, timestamp, timestamp) -> timestamp              timestamp_bin
 6178 date_bin(interval, timestamptz, timestamptz) -> timestamptz        timestamptz_bin
 1199 age(timestamptz, timestamptz) -> interval                          timestamptz_age
 1386 age(timestamptz) -> interval                                       timestamptz_age_today  stable
 2058 age(timestamp, timestamp) -> interval                              timestamp_age
 2059 age(timestamp) -> interval                                         timestamp_age_today  stable
 3846 make_date(year int4, month int4, day int4) -> date                 make_date
 3847 make_time(hour int4, min int4, sec float8) -> time                 make_time
 3461 make_timestamp(year int4, month int4, mday int4, hour int4, min int4, sec float8) -> timestamp make_timestamp
 3462 make_timestamptz(year int4, month int4, mday int4, hour int4, min int4, sec float8) -> timestamptz make_timestamptz  stable
 3463 make_timestamptz(year int4, month int4, mday int4, hour int4, min int4, sec float8, timezone text) -> timestamptz make_timestamptz_at_timezone  stable
 3464 make_interval(years int4 = 0, months int4 = 0, weeks int4 = 0, days int4 = 0, hours int4 = 0, mins int4 = 0, secs float8 = 0.0) -> interval make_interval
 1768 to_char(interval, text) -> text                                    py:to_char  stable
 1770 to_char(timestamptz, text) -> text                                 py:to_char  stable
 1772 to_char(numeric, text) -> text                                     py:to_char  stable
 1773 to_char(int4, text) -> text                                        py:to_char  stable
 1774 to_char(int8, text) -> text                                        py:to_char  stable
 1775 to_char(float4, text) -> text                                      py:to_char  stable
 1776 to_char(float8, text) -> text                                      py:to_char  stable
 2049 to_char(timestamp, text) -> text                                   py:to_char  stable
 1780 to_date(text, text) -> date                                        py:to_date  stable
 1158 to_timestamp(float8) -> timestamptz                                float8_timestamptz
 1778 to_timestamp(text, text) -> timestamptz                            py:to_timestamp  stable
 1777 to_number(text, text) -> numeric                                   py:to_number  stable
 1026 timezone(interval, timestamptz) -> timestamp                       timestamptz_izone
 1159 timezone(text, timestamptz) -> timestamp                           timestamptz_zone
 2037 timezone(text, timetz) -> timetz                                   timetz_zone  stable
 2038 timezone(interval, timetz) -> timetz                               timetz_izone
 2069 timezone(text, timestamp) -> timestamptz                           timestamp_zone
 2070 timezone(interval, timestamp) -> timestamptz                       timestamp_izone
 1373 isfinite(date) -> bool                                             date_finite
 1389 isfinite(timestamptz) -> bool                                      timestamp_finite
 1390 isfinite(interval) -> bool                                         interval_finite
 2048 isfinite(timestamp) -> bool                                        timestamp_finite
 1295 justify_days(interval) -> interval                                 interval_justify_days
 1175 justify_hours(interval) -> interval                                interval_justify_hours
 2711 justify_interval(interval) -> interval                             interval_justify_interval
 1271 overlaps(timetz, timetz, timetz, timetz) -> bool                   overlaps  nulls
 1304 overlaps(timestamptz, timestamptz, timestamptz, timestamptz) -> bool overlaps  nulls
 1305 overlaps(timestamptz, interval, timestamptz, interval) -> bool     overlaps  stable nulls
 1306 overlaps(timestamptz, timestamptz, timestamptz, interval) -> bool  overlaps  stable nulls
 1307 overlaps(timestamptz, interval, timestamptz, timestamptz) -> bool  overlaps  stable nulls
 1308 overlaps(time, time, time, time) -> bool                           overlaps  nulls
 1309 overlaps(time, interval, time, interval) -> bool                   overlaps  nulls
 1310 overlaps(time, time, time, interval) -> bool                       overlaps  nulls
 1311 overlaps(time, interval, time, time) -> bool                       overlaps  nulls
 2041 overlaps(timestamp, timestamp, timestamp, timestamp) -> bool       overlaps  nulls
 2042 overlaps(timestamp, interval, timestamp, interval) -> bool         overlaps  nulls
 2043 overlaps(timestamp, timestamp, timestamp, interval) -> bool        overlaps  nulls
 2044 overlaps(timestamp, interval, timestamp, timestamp) -> bool        overlaps  nulls
 2626 pg_sleep(float8) -> void                                           py:pg_sleep  volatile
 3935 pg_sleep_for(interval) -> void                                     py:pg_sleep_for  volatile
 3936 pg_sleep_until(timestamptz) -> void                                py:pg_sleep_until  volatile
 6221 date_add(timestamptz, interval) -> timestamptz                      timestamptz_pl_interval  stable
 6222 date_subtract(timestamptz, interval) -> timestamptz                 timestamptz_mi_interval  stable
""")
