"""Operators of text, bytea, json and arrays.

One line per operator: `oid left name right -> result  implementation  function oid  commutator  negator  flags`
(operators.py explains the columns).
"""

from opendsql.registry.operator_table import operators

OPERATORS = operators("""
# text and bytea
  639 name ~ text -> bool                                    py:nameregexeq                79     0   640
  640 name !~ text -> bool                                   py:nameregexne              1252     0   639
  641 text ~ text -> bool                                    py:textregexeq              1254     0   642
  642 text !~ text -> bool                                   py:textregexne              1256     0   641
  654 text || text -> text                                   textcat                     1258     0     0
 1055 bpchar ~ text -> bool                                  py:textregexeq              1658     0  1056 name=bpcharregexeq
 1056 bpchar !~ text -> bool                                 py:textregexne              1659     0  1055 name=bpcharregexne
 1207 name ~~ text -> bool                                   namelike                     858     0  1208
 1208 name !~~ text -> bool                                  namenlike                    859     0  1207
 1209 text ~~ text -> bool                                   textlike                     850     0  1210
 1210 text !~~ text -> bool                                  textnlike                    851     0  1209
 1211 bpchar ~~ text -> bool                                 textlike                    1631     0  1212 name=bpcharlike
 1212 bpchar !~~ text -> bool                                textnlike                   1632     0  1211 name=bpcharnlike
 1226 name ~* text -> bool                                   py:nameicregexeq            1240     0  1227
 1227 name !~* text -> bool                                  py:nameicregexne            1241     0  1226
 1228 text ~* text -> bool                                   py:texticregexeq            1238     0  1229
 1229 text !~* text -> bool                                  py:texticregexne            1239     0  1228
 1234 bpchar ~* text -> bool                                 py:texticregexeq            1656     0  1235 name=bpcharicregexeq
 1235 bpchar !~* text -> bool                                py:texticregexne            1657     0  1234 name=bpcharicregexne
 1625 name ~~* text -> bool                                  nameiclike                  1635     0  1626
 1626 name !~~* text -> bool                                 nameicnlike                 1636     0  1625
 1627 text ~~* text -> bool                                  texticlike                  1633     0  1628
 1628 text !~~* text -> bool                                 texticnlike                 1634     0  1627
 1629 bpchar ~~* text -> bool                                texticlike                  1660     0  1630 name=bpchariclike
 1630 bpchar !~~* text -> bool                               texticnlike                 1661     0  1629 name=bpcharicnlike
 2016 bytea ~~ bytea -> bool                                 bytealike                   2005     0  2017
 2017 bytea !~~ bytea -> bool                                byteanlike                  2006     0  2016
 2018 bytea || bytea -> bytea                                byteacat                    2011     0     0
 3877 text ^@ text -> bool                                   text_starts_with            3696     0     0 name=starts_with
 2779 text || anynonarray -> text                            textanycat                  2003     0     0 stable
 2780 anynonarray || text -> text                            anytextcat                  2004     0     0 stable
# json and jsonb
 3206 jsonb #>> text[] -> text                               jsonb_extract_path_text     3940     0     0
 3211 jsonb -> text -> jsonb                                 jsonb_object_field          3478     0     0
 3212 jsonb -> int4 -> jsonb                                 jsonb_array_element         3215     0     0
 3213 jsonb #> text[] -> jsonb                               jsonb_extract_path          3217     0     0
 3246 jsonb @> jsonb -> bool                                 py:jsonb_contains           4046  3250     0
 3247 jsonb ? text -> bool                                   jsonb_exists                4047     0     0
 3248 jsonb ?| text[] -> bool                                jsonb_exists_any            4048     0     0
 3249 jsonb ?& text[] -> bool                                jsonb_exists_all            4049     0     0
 3250 jsonb <@ jsonb -> bool                                 py:jsonb_contained          4050  3246     0
 4012 jsonb @? jsonpath -> bool                               py:jsonb_path_exists_opr    4010     0     0
 4013 jsonb @@ jsonpath -> bool                               py:jsonb_path_match_opr     4011     0     0
 3284 jsonb || jsonb -> jsonb                                py:jsonb_concat             3301     0     0
 3285 jsonb - text -> jsonb                                  py:jsonb_delete             3302     0     0
 3286 jsonb - int4 -> jsonb                                  py:jsonb_delete_idx         3303     0     0 name=jsonb_delete
 3287 jsonb #- text[] -> jsonb                               py:jsonb_delete_path        3304     0     0
 3398 jsonb - text[] -> jsonb                                py:jsonb_delete_array       3343     0     0 name=jsonb_delete
 3477 jsonb ->> text -> text                                 jsonb_object_field_text     3214     0     0
 3481 jsonb ->> int4 -> text                                 jsonb_array_element_text     3216     0     0
 3962 json -> text -> json                                   json_object_field           3947     0     0
 3963 json ->> text -> text                                  json_object_field_text      3948     0     0
 3964 json -> int4 -> json                                   json_array_element          3949     0     0
 3965 json ->> int4 -> text                                  json_array_element_text     3950     0     0
 3966 json #> text[] -> json                                 json_extract_path           3951     0     0
 3967 json #>> text[] -> text                                json_extract_path_text      3953     0     0
# arrays
  349 anycompatiblearray || anycompatible -> anycompatiblearray py:array_append              378     0     0
  374 anycompatible || anycompatiblearray -> anycompatiblearray py:array_prepend             379     0     0
  375 anycompatiblearray || anycompatiblearray -> anycompatiblearray py:array_cat                 383     0     0
 2750 anyarray && anyarray -> bool                           py:arrayoverlap             2747  2750     0
 2751 anyarray @> anyarray -> bool                           py:arraycontains            2748  2752     0
 2752 anyarray <@ anyarray -> bool                           py:arraycontained           2749  2751     0
""")
