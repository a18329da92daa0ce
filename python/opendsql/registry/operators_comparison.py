"""Comparison operators of every type, and between types of a family.

One line per operator: `oid left name right -> result  implementation  function oid  commutator  negator  flags`
(operators.py explains the columns).
"""

from opendsql.registry.operator_table import operators

OPERATORS = operators("""
# comparison
   15 int4 = int8 -> bool                                    int48eq                      852   416    36 merge hash
   36 int4 <> int8 -> bool                                   int48ne                      853   417    15
   37 int4 < int8 -> bool                                    int48lt                      854   419    82
   58 bool < bool -> bool                                    boollt                        56    59  1695
   59 bool > bool -> bool                                    boolgt                        57    58  1694
   76 int4 > int8 -> bool                                    int48gt                      855   418    80
   80 int4 <= int8 -> bool                                   int48le                      856   430    76
   82 int4 >= int8 -> bool                                   int48ge                      857   420    37
   85 bool <> bool -> bool                                   boolne                        84    85    91
   91 bool = bool -> bool                                    booleq                        60    91    85 merge hash
   92 char = char -> bool                                    chareq                        61    92   630 merge hash
   93 name = name -> bool                                    nameeq                        62    93   643 merge hash
   94 int2 = int2 -> bool                                    int2eq                        63    94   519 merge hash
   95 int2 < int2 -> bool                                    int2lt                        64   520   524
   96 int4 = int4 -> bool                                    int4eq                        65    96   518 merge hash
   97 int4 < int4 -> bool                                    int4lt                        66   521   525
   98 text = text -> bool                                    texteq                        67    98   531 merge hash
  254 name = text -> bool                                    nameeqtext                   240   260   259 merge hash
  255 name < text -> bool                                    namelttext                   241   264   257
  256 name <= text -> bool                                   nameletext                   242   263   258
  257 name >= text -> bool                                   namegetext                   243   262   255
  258 name > text -> bool                                    namegttext                   244   261   256
  259 name <> text -> bool                                   namenetext                   245   265   254
  260 text = name -> bool                                    texteqname                   247   254   265 merge hash
  261 text < name -> bool                                    textltname                   248   258   263
  262 text <= name -> bool                                   textlename                   249   257   264
  263 text >= name -> bool                                   textgename                   250   256   261
  264 text > name -> bool                                    textgtname                   251   255   262
  265 text <> name -> bool                                   textnename                   252   259   260
  410 int8 = int8 -> bool                                    int8eq                       467   410   411 merge hash
  411 int8 <> int8 -> bool                                   int8ne                       468   411   410
  412 int8 < int8 -> bool                                    int8lt                       469   413   415
  413 int8 > int8 -> bool                                    int8gt                       470   412   414
  414 int8 <= int8 -> bool                                   int8le                       471   415   413
  415 int8 >= int8 -> bool                                   int8ge                       472   414   412
  416 int8 = int4 -> bool                                    int84eq                      474    15   417 merge hash
  417 int8 <> int4 -> bool                                   int84ne                      475    36   416
  418 int8 < int4 -> bool                                    int84lt                      476    76   430
  419 int8 > int4 -> bool                                    int84gt                      477    37   420
  420 int8 <= int4 -> bool                                   int84le                      478    82   419
  430 int8 >= int4 -> bool                                   int84ge                      479    80   418
  518 int4 <> int4 -> bool                                   int4ne                       144   518    96
  519 int2 <> int2 -> bool                                   int2ne                       145   519    94
  520 int2 > int2 -> bool                                    int2gt                       146    95   522
  521 int4 > int4 -> bool                                    int4gt                       147    97   523
  522 int2 <= int2 -> bool                                   int2le                       148   524   520
  523 int4 <= int4 -> bool                                   int4le                       149   525   521
  524 int2 >= int2 -> bool                                   int2ge                       151   522    95
  525 int4 >= int4 -> bool                                   int4ge                       150   523    97
  531 text <> text -> bool                                   textne                       157   531    98
  532 int2 = int4 -> bool                                    int24eq                      158   533   538 merge hash
  533 int4 = int2 -> bool                                    int42eq                      159   532   539 merge hash
  534 int2 < int4 -> bool                                    int24lt                      160   537   542
  535 int4 < int2 -> bool                                    int42lt                      161   536   543
  536 int2 > int4 -> bool                                    int24gt                      162   535   540
  537 int4 > int2 -> bool                                    int42gt                      163   534   541
  538 int2 <> int4 -> bool                                   int24ne                      164   539   532
  539 int4 <> int2 -> bool                                   int42ne                      165   538   533
  540 int2 <= int4 -> bool                                   int24le                      166   543   536
  541 int4 <= int2 -> bool                                   int42le                      167   542   537
  542 int2 >= int4 -> bool                                   int24ge                      168   541   534
  543 int4 >= int2 -> bool                                   int42ge                      169   540   535
  607 oid = oid -> bool                                      oideq                        184   607   608 merge hash
  608 oid <> oid -> bool                                     oidne                        185   608   607
  609 oid < oid -> bool                                      oidlt                        716   610   612
  610 oid > oid -> bool                                      oidgt                       1638   609   611
  611 oid <= oid -> bool                                     oidle                        717   612   610
  612 oid >= oid -> bool                                     oidge                       1639   611   609
  620 float4 = float4 -> bool                                float4eq                     287   620   621 merge hash
  621 float4 <> float4 -> bool                               float4ne                     288   621   620
  622 float4 < float4 -> bool                                float4lt                     289   623   625
  623 float4 > float4 -> bool                                float4gt                     291   622   624
  624 float4 <= float4 -> bool                               float4le                     290   625   623
  625 float4 >= float4 -> bool                               float4ge                     292   624   622
  630 char <> char -> bool                                   charne                        70   630    92
  631 char < char -> bool                                    charlt                      1246   633   634
  632 char <= char -> bool                                   charle                        72   634   633
  633 char > char -> bool                                    chargt                        73   631   632
  634 char >= char -> bool                                   charge                        74   632   631
  643 name <> name -> bool                                   namene                       659   643    93
  660 name < name -> bool                                    namelt                       655   662   663
  661 name <= name -> bool                                   namele                       656   663   662
  662 name > name -> bool                                    namegt                       657   660   661
  663 name >= name -> bool                                   namege                       658   661   660
  664 text < text -> bool                                    text_lt                      740   666   667
  665 text <= text -> bool                                   text_le                      741   667   666
  666 text > text -> bool                                    text_gt                      742   664   665
  667 text >= text -> bool                                   text_ge                      743   665   664
  670 float8 = float8 -> bool                                float8eq                     293   670   671 merge hash
  671 float8 <> float8 -> bool                               float8ne                     294   671   670
  672 float8 < float8 -> bool                                float8lt                     295   674   675
  673 float8 <= float8 -> bool                               float8le                     296   675   674
  674 float8 > float8 -> bool                                float8gt                     297   672   673
  675 float8 >= float8 -> bool                               float8ge                     298   673   672
 1054 bpchar = bpchar -> bool                                bpchareq                    1048  1054  1057 merge hash
 1057 bpchar <> bpchar -> bool                               bpcharne                    1053  1057  1054
 1058 bpchar < bpchar -> bool                                bpcharlt                    1049  1060  1061
 1059 bpchar <= bpchar -> bool                               bpcharle                    1050  1061  1060
 1060 bpchar > bpchar -> bool                                bpchargt                    1051  1058  1059
 1061 bpchar >= bpchar -> bool                               bpcharge                    1052  1059  1058
 1070 anyarray = anyarray -> bool                            array_eq                     744  1070  1071 merge hash
 1071 anyarray <> anyarray -> bool                           array_ne                     390  1071  1070
 1072 anyarray < anyarray -> bool                            array_lt                     391  1073  1075
 1073 anyarray > anyarray -> bool                            array_gt                     392  1072  1074
 1074 anyarray <= anyarray -> bool                           array_le                     393  1075  1073
 1075 anyarray >= anyarray -> bool                           array_ge                     396  1074  1072
 1093 date = date -> bool                                    date_eq                     1086  1093  1094 merge hash
 1094 date <> date -> bool                                   date_ne                     1091  1094  1093
 1095 date < date -> bool                                    date_lt                     1087  1097  1098
 1096 date <= date -> bool                                   date_le                     1088  1098  1097
 1097 date > date -> bool                                    date_gt                     1089  1095  1096
 1098 date >= date -> bool                                   date_ge                     1090  1096  1095
 1108 time = time -> bool                                    time_eq                     1145  1108  1109 merge hash
 1109 time <> time -> bool                                   time_ne                     1106  1109  1108
 1110 time < time -> bool                                    time_lt                     1102  1112  1113
 1111 time <= time -> bool                                   time_le                     1103  1113  1112
 1112 time > time -> bool                                    time_gt                     1104  1110  1111
 1113 time >= time -> bool                                   time_ge                     1105  1111  1110
 1120 float4 = float8 -> bool                                float48eq                    299  1130  1121 merge hash
 1121 float4 <> float8 -> bool                               float48ne                    300  1131  1120
 1122 float4 < float8 -> bool                                float48lt                    301  1133  1125
 1123 float4 > float8 -> bool                                float48gt                    303  1132  1124
 1124 float4 <= float8 -> bool                               float48le                    302  1135  1123
 1125 float4 >= float8 -> bool                               float48ge                    304  1134  1122
 1130 float8 = float4 -> bool                                float84eq                    305  1120  1131 merge hash
 1131 float8 <> float4 -> bool                               float84ne                    306  1121  1130
 1132 float8 < float4 -> bool                                float84lt                    307  1123  1135
 1133 float8 > float4 -> bool                                float84gt                    309  1122  1134
 1134 float8 <= float4 -> bool                               float84le                    308  1125  1133
 1135 float8 >= float4 -> bool                               float84ge                    310  1124  1132
 1320 timestamptz = timestamptz -> bool                      timestamp_eq                1152  1320  1321 name=timestamptz_eq merge hash
 1321 timestamptz <> timestamptz -> bool                     timestamp_ne                1153  1321  1320 name=timestamptz_ne
 1322 timestamptz < timestamptz -> bool                      timestamp_lt                1154  1324  1325 name=timestamptz_lt
 1323 timestamptz <= timestamptz -> bool                     timestamp_le                1155  1325  1324 name=timestamptz_le
 1324 timestamptz > timestamptz -> bool                      timestamp_gt                1157  1322  1323 name=timestamptz_gt
 1325 timestamptz >= timestamptz -> bool                     timestamp_ge                1156  1323  1322 name=timestamptz_ge
 1330 interval = interval -> bool                            interval_eq                 1162  1330  1331 merge hash
 1331 interval <> interval -> bool                           interval_ne                 1163  1331  1330
 1332 interval < interval -> bool                            interval_lt                 1164  1334  1335
 1333 interval <= interval -> bool                           interval_le                 1165  1335  1334
 1334 interval > interval -> bool                            interval_gt                 1167  1332  1333
 1335 interval >= interval -> bool                           interval_ge                 1166  1333  1332
 1550 timetz = timetz -> bool                                timetz_eq                   1352  1550  1551 merge hash
 1551 timetz <> timetz -> bool                               timetz_ne                   1353  1551  1550
 1552 timetz < timetz -> bool                                timetz_lt                   1354  1554  1555
 1553 timetz <= timetz -> bool                               timetz_le                   1355  1555  1554
 1554 timetz > timetz -> bool                                timetz_gt                   1357  1552  1553
 1555 timetz >= timetz -> bool                               timetz_ge                   1356  1553  1552
 1694 bool <= bool -> bool                                   boolle                      1691  1695    59
 1695 bool >= bool -> bool                                   boolge                      1692  1694    58
 1752 numeric = numeric -> bool                              numeric_eq                  1718  1752  1753 merge hash
 1753 numeric <> numeric -> bool                             numeric_ne                  1719  1753  1752
 1754 numeric < numeric -> bool                              numeric_lt                  1722  1756  1757
 1755 numeric <= numeric -> bool                             numeric_le                  1723  1757  1756
 1756 numeric > numeric -> bool                              numeric_gt                  1720  1754  1755
 1757 numeric >= numeric -> bool                             numeric_ge                  1721  1755  1754
 1862 int2 = int8 -> bool                                    int28eq                     1850  1868  1863 merge hash
 1863 int2 <> int8 -> bool                                   int28ne                     1851  1869  1862
 1864 int2 < int8 -> bool                                    int28lt                     1852  1871  1867
 1865 int2 > int8 -> bool                                    int28gt                     1853  1870  1866
 1866 int2 <= int8 -> bool                                   int28le                     1854  1873  1865
 1867 int2 >= int8 -> bool                                   int28ge                     1855  1872  1864
 1868 int8 = int2 -> bool                                    int82eq                     1856  1862  1869 merge hash
 1869 int8 <> int2 -> bool                                   int82ne                     1857  1863  1868
 1870 int8 < int2 -> bool                                    int82lt                     1858  1865  1873
 1871 int8 > int2 -> bool                                    int82gt                     1859  1864  1872
 1872 int8 <= int2 -> bool                                   int82le                     1860  1867  1871
 1873 int8 >= int2 -> bool                                   int82ge                     1861  1866  1870
 1955 bytea = bytea -> bool                                  byteaeq                     1948  1955  1956 merge hash
 1956 bytea <> bytea -> bool                                 byteane                     1953  1956  1955
 1957 bytea < bytea -> bool                                  bytealt                     1949  1959  1960
 1958 bytea <= bytea -> bool                                 byteale                     1950  1960  1959
 1959 bytea > bytea -> bool                                  byteagt                     1951  1957  1958
 1960 bytea >= bytea -> bool                                 byteage                     1952  1958  1957
 2060 timestamp = timestamp -> bool                          timestamp_eq                2052  2060  2061 merge hash
 2061 timestamp <> timestamp -> bool                         timestamp_ne                2053  2061  2060
 2062 timestamp < timestamp -> bool                          timestamp_lt                2054  2064  2065
 2063 timestamp <= timestamp -> bool                         timestamp_le                2055  2065  2064
 2064 timestamp > timestamp -> bool                          timestamp_gt                2057  2062  2063
 2065 timestamp >= timestamp -> bool                         timestamp_ge                2056  2063  2062
 2314 text ~<~ text -> bool                                  text_pattern_lt             2160  2318  2317
 2315 text ~<=~ text -> bool                                 text_pattern_le             2161  2317  2318
 2317 text ~>=~ text -> bool                                 text_pattern_ge             2163  2315  2314
 2318 text ~>~ text -> bool                                  text_pattern_gt             2164  2314  2315
 2326 bpchar ~<~ bpchar -> bool                              bpchar_pattern_lt           2174  2330  2329
 2327 bpchar ~<=~ bpchar -> bool                             bpchar_pattern_le           2175  2329  2330
 2329 bpchar ~>=~ bpchar -> bool                             bpchar_pattern_ge           2177  2327  2326
 2330 bpchar ~>~ bpchar -> bool                              bpchar_pattern_gt           2178  2326  2327
 2345 date < timestamp -> bool                               date_lt_timestamp           2338  2375  2348
 2346 date <= timestamp -> bool                              date_le_timestamp           2339  2374  2349
 2347 date = timestamp -> bool                               date_eq_timestamp           2340  2373  2350 merge
 2348 date >= timestamp -> bool                              date_ge_timestamp           2342  2372  2345
 2349 date > timestamp -> bool                               date_gt_timestamp           2341  2371  2346
 2350 date <> timestamp -> bool                              date_ne_timestamp           2343  2376  2347
 2358 date < timestamptz -> bool                             date_lt_timestamptz         2351  2388  2361 stable
 2359 date <= timestamptz -> bool                            date_le_timestamptz         2352  2387  2362 stable
 2360 date = timestamptz -> bool                             date_eq_timestamptz         2353  2386  2363 merge stable
 2361 date >= timestamptz -> bool                            date_ge_timestamptz         2355  2385  2358 stable
 2362 date > timestamptz -> bool                             date_gt_timestamptz         2354  2384  2359 stable
 2363 date <> timestamptz -> bool                            date_ne_timestamptz         2356  2389  2360 stable
 2371 timestamp < date -> bool                               timestamp_lt_date           2364  2349  2374
 2372 timestamp <= date -> bool                              timestamp_le_date           2365  2348  2375
 2373 timestamp = date -> bool                               timestamp_eq_date           2366  2347  2376 merge
 2374 timestamp >= date -> bool                              timestamp_ge_date           2368  2346  2371
 2375 timestamp > date -> bool                               timestamp_gt_date           2367  2345  2372
 2376 timestamp <> date -> bool                              timestamp_ne_date           2369  2350  2373
 2384 timestamptz < date -> bool                             timestamptz_lt_date         2377  2362  2387 stable
 2385 timestamptz <= date -> bool                            timestamptz_le_date         2378  2361  2388 stable
 2386 timestamptz = date -> bool                             timestamptz_eq_date         2379  2360  2389 merge stable
 2387 timestamptz >= date -> bool                            timestamptz_ge_date         2381  2359  2384 stable
 2388 timestamptz > date -> bool                             timestamptz_gt_date         2380  2358  2385 stable
 2389 timestamptz <> date -> bool                            timestamptz_ne_date         2382  2363  2386 stable
 2534 timestamp < timestamptz -> bool                        timestamp_lt_timestamptz    2520  2544  2537 stable
 2535 timestamp <= timestamptz -> bool                       timestamp_le_timestamptz    2521  2543  2538 stable
 2536 timestamp = timestamptz -> bool                        timestamp_eq_timestamptz    2522  2542  2539 merge stable
 2537 timestamp >= timestamptz -> bool                       timestamp_ge_timestamptz    2524  2541  2534 stable
 2538 timestamp > timestamptz -> bool                        timestamp_gt_timestamptz    2523  2540  2535 stable
 2539 timestamp <> timestamptz -> bool                       timestamp_ne_timestamptz    2525  2545  2536 stable
 2540 timestamptz < timestamp -> bool                        timestamptz_lt_timestamp    2527  2538  2543 stable
 2541 timestamptz <= timestamp -> bool                       timestamptz_le_timestamp    2528  2537  2544 stable
 2542 timestamptz = timestamp -> bool                        timestamptz_eq_timestamp    2529  2536  2545 merge stable
 2543 timestamptz >= timestamp -> bool                       timestamptz_ge_timestamp    2531  2535  2540 stable
 2544 timestamptz > timestamp -> bool                        timestamptz_gt_timestamp    2530  2534  2541 stable
 2545 timestamptz <> timestamp -> bool                       timestamptz_ne_timestamp    2532  2539  2542 stable
 2972 uuid = uuid -> bool                                    uuid_eq                     2956  2972  2973 merge hash
 2973 uuid <> uuid -> bool                                   uuid_ne                     2959  2973  2972
 2974 uuid < uuid -> bool                                    uuid_lt                     2954  2975  2977
 2975 uuid > uuid -> bool                                    uuid_gt                     2958  2974  2976
 2976 uuid <= uuid -> bool                                   uuid_le                     2955  2977  2975
 2977 uuid >= uuid -> bool                                   uuid_ge                     2957  2976  2974
 3240 jsonb = jsonb -> bool                                  jsonb_eq                    4043  3240  3241 merge hash
 3241 jsonb <> jsonb -> bool                                 jsonb_ne                    4038  3241  3240
 3242 jsonb < jsonb -> bool                                  jsonb_lt                    4039  3243  3245
 3243 jsonb > jsonb -> bool                                  jsonb_gt                    4040  3242  3244
 3244 jsonb <= jsonb -> bool                                 jsonb_le                    4041  3245  3243
 3245 jsonb >= jsonb -> bool                                 jsonb_ge                    4042  3244  3242
""")
