"""Operators of numbers, dates and times.

One line per operator: `oid left name right -> result  implementation  function oid  commutator  negator  flags`
(operators.py explains the columns).
"""

from opendsql.registry.operator_table import operators

OPERATORS = operators("""
# numbers
  439 int8 % int8 -> int8                                    int8mod                      945     0     0
  473 . @ int8 -> int8                                       int8abs                     1230     0     0
  484 . - int8 -> int8                                       int8um                       462     0     0
  514 int4 * int4 -> int4                                    int4mul                      141   514     0
  526 int2 * int2 -> int2                                    int2mul                      152   526     0
  527 int2 / int2 -> int2                                    int2div                      153     0     0
  528 int4 / int4 -> int4                                    int4div                      154     0     0
  529 int2 % int2 -> int2                                    int2mod                      155     0     0
  530 int4 % int4 -> int4                                    int4mod                      156     0     0
  544 int2 * int4 -> int4                                    int24mul                     170   545     0
  545 int4 * int2 -> int4                                    int42mul                     171   544     0
  546 int2 / int4 -> int4                                    int24div                     172     0     0
  547 int4 / int2 -> int4                                    int42div                     173     0     0
  550 int2 + int2 -> int2                                    int2pl                       176   550     0
  551 int4 + int4 -> int4                                    int4pl                       177   551     0
  552 int2 + int4 -> int4                                    int24pl                      178   553     0
  553 int4 + int2 -> int4                                    int42pl                      179   552     0
  554 int2 - int2 -> int2                                    int2mi                       180     0     0
  555 int4 - int4 -> int4                                    int4mi                       181     0     0
  556 int2 - int4 -> int4                                    int24mi                      182     0     0
  557 int4 - int2 -> int4                                    int42mi                      183     0     0
  558 . - int4 -> int4                                       int4um                       212     0     0
  559 . - int2 -> int2                                       int2um                       213     0     0
  584 . - float4 -> float4                                   float4um                     206     0     0
  585 . - float8 -> float8                                   float8um                     220     0     0
  586 float4 + float4 -> float4                              float4pl                     204   586     0
  587 float4 - float4 -> float4                              float4mi                     205     0     0
  588 float4 / float4 -> float4                              float4div                    203     0     0
  589 float4 * float4 -> float4                              float4mul                    202   589     0
  590 . @ float4 -> float4                                   float4abs                    207     0     0
  591 float8 + float8 -> float8                              float8pl                     218   591     0
  592 float8 - float8 -> float8                              float8mi                     219     0     0
  593 float8 / float8 -> float8                              float8div                    217     0     0
  594 float8 * float8 -> float8                              float8mul                    216   594     0
  595 . @ float8 -> float8                                   float8abs                    221     0     0
  596 . |/ float8 -> float8                                  dsqrt                        230     0     0
  597 . ||/ float8 -> float8                                 dcbrt                        231     0     0
  682 . @ int2 -> int2                                       int2abs                     1253     0     0
  684 int8 + int8 -> int8                                    int8pl                       463   684     0
  685 int8 - int8 -> int8                                    int8mi                       464     0     0
  686 int8 * int8 -> int8                                    int8mul                      465   686     0
  687 int8 / int8 -> int8                                    int8div                      466     0     0
  688 int8 + int4 -> int8                                    int84pl                     1274   692     0
  689 int8 - int4 -> int8                                    int84mi                     1275     0     0
  690 int8 * int4 -> int8                                    int84mul                    1276   694     0
  691 int8 / int4 -> int8                                    int84div                    1277     0     0
  692 int4 + int8 -> int8                                    int48pl                     1278   688     0
  693 int4 - int8 -> int8                                    int48mi                     1279     0     0
  694 int4 * int8 -> int8                                    int48mul                    1280   690     0
  695 int4 / int8 -> int8                                    int48div                    1281     0     0
  773 . @ int4 -> int4                                       int4abs                     1251     0     0
  818 int8 + int2 -> int8                                    int82pl                      837   822     0
  819 int8 - int2 -> int8                                    int82mi                      838     0     0
  820 int8 * int2 -> int8                                    int82mul                     839   824     0
  821 int8 / int2 -> int8                                    int82div                     840     0     0
  822 int2 + int8 -> int8                                    int28pl                      841   818     0
  823 int2 - int8 -> int8                                    int28mi                      942     0     0
  824 int2 * int8 -> int8                                    int28mul                     943   820     0
  825 int2 / int8 -> int8                                    int28div                     948     0     0
  965 float8 ^ float8 -> float8                              dpow                         232     0     0
 1038 numeric ^ numeric -> numeric                           py:power                    1739     0     0 name=numeric_power
 1116 float4 + float8 -> float8                              float48pl                    281  1126     0
 1117 float4 - float8 -> float8                              float48mi                    282     0     0
 1118 float4 / float8 -> float8                              float48div                   280     0     0
 1119 float4 * float8 -> float8                              float48mul                   279  1129     0
 1126 float8 + float4 -> float8                              float84pl                    285  1116     0
 1127 float8 - float4 -> float8                              float84mi                    286     0     0
 1128 float8 / float4 -> float8                              float84div                   284     0     0
 1129 float8 * float4 -> float8                              float84mul                   283  1119     0
 1751 . - numeric -> numeric                                 numeric_uminus              1771     0     0
 1758 numeric + numeric -> numeric                           numeric_add                 1724  1758     0
 1759 numeric - numeric -> numeric                           numeric_sub                 1725     0     0
 1760 numeric * numeric -> numeric                           numeric_mul                 1726  1760     0
 1761 numeric / numeric -> numeric                           numeric_div                 1727     0     0
 1762 numeric % numeric -> numeric                           numeric_mod                 1729     0     0
 1763 . @ numeric -> numeric                                 numeric_abs                 1704     0     0
 1874 int2 & int2 -> int2                                    int2and                     1892  1874     0
 1875 int2 | int2 -> int2                                    int2or                      1893  1875     0
 1876 int2 # int2 -> int2                                    int2xor                     1894  1876     0
 1877 . ~ int2 -> int2                                       int2not                     1895     0     0
 1878 int2 << int4 -> int2                                   int2shl                     1896     0     0
 1879 int2 >> int4 -> int2                                   int2shr                     1897     0     0
 1880 int4 & int4 -> int4                                    int4and                     1898  1880     0
 1881 int4 | int4 -> int4                                    int4or                      1899  1881     0
 1882 int4 # int4 -> int4                                    int4xor                     1900  1882     0
 1883 . ~ int4 -> int4                                       int4not                     1901     0     0
 1884 int4 << int4 -> int4                                   int4shl                     1902     0     0
 1885 int4 >> int4 -> int4                                   int4shr                     1903     0     0
 1886 int8 & int8 -> int8                                    int8and                     1904  1886     0
 1887 int8 | int8 -> int8                                    int8or                      1905  1887     0
 1888 int8 # int8 -> int8                                    int8xor                     1906  1888     0
 1889 . ~ int8 -> int8                                       int8not                     1907     0     0
 1890 int8 << int4 -> int8                                   int8shl                     1908     0     0
 1891 int8 >> int4 -> int8                                   int8shr                     1909     0     0
 1916 . + int8 -> int8                                       int8up                      1910     0     0
 1917 . + int2 -> int2                                       int2up                      1911     0     0
 1918 . + int4 -> int4                                       int4up                      1912     0     0
 1919 . + float4 -> float4                                   float4up                    1913     0     0
 1920 . + float8 -> float8                                   float8up                    1914     0     0
 1921 . + numeric -> numeric                                 numeric_uplus               1915     0     0
# dates and times
 1076 date + interval -> timestamp                           date_pl_interval            2071  2551     0
 1077 date - interval -> timestamp                           date_mi_interval            2072     0     0
 1099 date - date -> int4                                    date_mi                     1140     0     0
 1100 date + int4 -> date                                    date_pli                    1141  2555     0
 1101 date - int4 -> date                                    date_mii                    1142     0     0
 1327 timestamptz + interval -> timestamptz                  timestamptz_pl_interval     1189  2554     0 stable
 1328 timestamptz - timestamptz -> interval                  timestamp_mi                1188     0     0 name=timestamptz_mi
 1329 timestamptz - interval -> timestamptz                  timestamptz_mi_interval     1190     0     0 stable
 1336 . - interval -> interval                               interval_um                 1168     0     0
 1337 interval + interval -> interval                        interval_pl                 1169  1337     0
 1338 interval - interval -> interval                        interval_mi                 1170     0     0
 1360 date + time -> timestamp                               datetime_pl                 1272  1363     0
 1361 date + timetz -> timestamptz                           datetimetz_pl               1297  1366     0
 1363 time + date -> timestamp                               timedate_pl                 1296  1360     0
 1366 timetz + date -> timestamptz                           timetzdate_pl               1298  1361     0
 1399 time - time -> interval                                time_mi_time                1690     0     0
 1583 interval * float8 -> interval                          interval_mul                1618  1584     0
 1584 float8 * interval -> interval                          mul_d_interval              1624  1583     0
 1585 interval / float8 -> interval                          interval_div                1326     0     0
 1800 time + interval -> time                                time_pl_interval            1747  1849     0
 1801 time - interval -> time                                time_mi_interval            1748     0     0
 1802 timetz + interval -> timetz                            timetz_pl_interval          1749  2552     0
 1803 timetz - interval -> timetz                            timetz_mi_interval          1750     0     0
 1849 interval + time -> time                                interval_pl_time            1848  1800     0
 2066 timestamp + interval -> timestamp                      timestamp_pl_interval       2032  2553     0
 2067 timestamp - timestamp -> interval                      timestamp_mi                2031     0     0
 2068 timestamp - interval -> timestamp                      timestamp_mi_interval       2033     0     0
 2551 interval + date -> timestamp                           interval_pl_date            2546  1076     0
 2552 interval + timetz -> timetz                            interval_pl_timetz          2547  1802     0
 2553 interval + timestamp -> timestamp                      interval_pl_timestamp       2548  2066     0
 2554 interval + timestamptz -> timestamptz                  interval_pl_timestamptz     2549  1327     0 stable
 2555 int4 + date -> date                                    integer_pl_date             2550  1100     0
""")
