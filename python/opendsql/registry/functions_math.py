"""Functions of numbers.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# numbers
 1394 abs(float4) -> float4                                              float4abs
 1395 abs(float8) -> float8                                              float8abs
 1396 abs(int8) -> int8                                                  int8abs
 1397 abs(int4) -> int4                                                  int4abs
 1398 abs(int2) -> int2                                                  int2abs
 1705 abs(numeric) -> numeric                                            numeric_abs
 1706 sign(numeric) -> numeric                                           numeric_sign
 2310 sign(float8) -> float8                                             dsign
 1711 ceil(numeric) -> numeric                                           numeric_ceil
 2308 ceil(float8) -> float8                                             dceil
 2167 ceiling(numeric) -> numeric                                        numeric_ceil
 2320 ceiling(float8) -> float8                                          dceil
 1712 floor(numeric) -> numeric                                          numeric_floor
 2309 floor(float8) -> float8                                            dfloor
 1342 round(float8) -> float8                                            dround
 1707 round(numeric, int4) -> numeric                                    numeric_round
 1708 round(numeric) -> numeric                                          numeric_round
 1343 trunc(float8) -> float8                                            dtrunc
 1709 trunc(numeric, int4) -> numeric                                    numeric_trunc
 1710 trunc(numeric) -> numeric                                          numeric_trunc
  940 mod(int2, int2) -> int2                                            int2mod
  941 mod(int4, int4) -> int4                                            int4mod
  947 mod(int8, int8) -> int8                                            int8mod
 1728 mod(numeric, numeric) -> numeric                                   numeric_mod
 1973 div(numeric, numeric) -> numeric                                   numeric_div_trunc
 1368 power(float8, float8) -> float8                                    dpow
 2169 power(numeric, numeric) -> numeric                                 py:power
 1346 pow(float8, float8) -> float8                                      dpow
 1738 pow(numeric, numeric) -> numeric                                   py:pow
 1344 sqrt(float8) -> float8                                             dsqrt
 1730 sqrt(numeric) -> numeric                                           numeric_sqrt
 1345 cbrt(float8) -> float8                                             dcbrt
 1347 exp(float8) -> float8                                              dexp
 1732 exp(numeric) -> numeric                                            py:exp
 1341 ln(float8) -> float8                                               dlog1
 1734 ln(numeric) -> numeric                                             py:ln
 1340 log(float8) -> float8                                              dlog10
 1736 log(numeric, numeric) -> numeric                                   py:log
 1741 log(numeric) -> numeric                                            py:log
 1194 log10(float8) -> float8                                            dlog10
 1481 log10(numeric) -> numeric                                          py:log10
 1610 pi() -> float8                                                     dpi
 1598 random() -> float8                                                 drandom  volatile
 1599 setseed(float8) -> void                                            setseed  volatile
 1600 asin(float8) -> float8                                             dasin
 1601 acos(float8) -> float8                                             dacos
 1602 atan(float8) -> float8                                             datan
 1603 atan2(float8, float8) -> float8                                    datan2
 1604 sin(float8) -> float8                                              dsin
 1605 cos(float8) -> float8                                              dcos
 1606 tan(float8) -> float8                                              dtan
 1607 cot(float8) -> float8                                              dcot
 2462 sinh(float8) -> float8                                             dsinh
 2463 cosh(float8) -> float8                                             dcosh
 2464 tanh(float8) -> float8                                             dtanh
 2465 asinh(float8) -> float8                                            dasinh
 2466 acosh(float8) -> float8                                            dacosh
 2467 atanh(float8) -> float8                                            datanh
 2735 sind(float8) -> float8                                             dsind
 2736 cosd(float8) -> float8                                             dcosd
 2737 tand(float8) -> float8                                             dtand
 2738 cotd(float8) -> float8                                             dcotd
 2731 asind(float8) -> float8                                            dasind
 2732 acosd(float8) -> float8                                            dacosd
 2733 atand(float8) -> float8                                            datand
 2734 atan2d(float8, float8) -> float8                                   datan2d
 1608 degrees(float8) -> float8                                          degrees
 1609 radians(float8) -> float8                                          radians
 5044 gcd(int4, int4) -> int4                                            int4gcd
 5045 gcd(int8, int8) -> int8                                            int8gcd
 5048 gcd(numeric, numeric) -> numeric                                   numeric_gcd
 5046 lcm(int4, int4) -> int4                                            int4lcm
 5047 lcm(int8, int8) -> int8                                            int8lcm
 5049 lcm(numeric, numeric) -> numeric                                   numeric_lcm
 1376 factorial(int8) -> numeric                                         py:factorial
  320 width_bucket(float8, float8, float8, int4) -> int4                 width_bucket_float8
 2170 width_bucket(numeric, numeric, numeric, int4) -> int4              py:width_bucket
 3218 width_bucket(anycompatible, anycompatiblearray) -> int4            py:width_bucket_array
 3281 scale(numeric) -> int4                                             numeric_scale
 5042 min_scale(numeric) -> int4                                         numeric_min_scale
 5043 trim_scale(numeric) -> numeric                                     numeric_trim_scale
  438 num_nulls(variadic any) -> int4                                    pg_num_nulls  nulls
  440 num_nonnulls(variadic any) -> int4                                 pg_num_nonnulls  nulls
  766 int4inc(int4) -> int4                                              int4inc
 1219 int8inc(int8) -> int8                                              int8inc
 1764 numeric_inc(numeric) -> numeric                                    numeric_inc
 6212 random_normal(mean float8 = 0, stddev float8 = 1) -> float8         random_normal  volatile
 6219 erf(float8) -> float8                                              derf
 6220 erfc(float8) -> float8                                             derfc
""")
