"""Functions of json and jsonb.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# json and jsonb
 3176 to_json(anyelement) -> json                                        to_json  stable
 3787 to_jsonb(anyelement) -> jsonb                                      to_jsonb  stable
 3153 array_to_json(anyarray) -> json                                    py:array_to_json  stable
 3154 array_to_json(anyarray, bool) -> json                              py:array_to_json  stable
 3198 json_build_array(variadic any) -> json                             json_build_array  stable nulls
 3199 json_build_array() -> json                                         json_build_array  stable nulls
 3200 json_build_object(variadic any) -> json                            json_build_object  stable nulls
 3201 json_build_object() -> json                                        json_build_object  stable nulls
 3202 json_object(text[]) -> json                                        py:json_object
 3203 json_object(text[], text[]) -> json                                py:json_object
 3271 jsonb_build_array(variadic any) -> jsonb                           jsonb_build_array  stable nulls
 3272 jsonb_build_array() -> jsonb                                       jsonb_build_array  stable nulls
 3273 jsonb_build_object(variadic any) -> jsonb                          jsonb_build_object  stable nulls
 3274 jsonb_build_object() -> jsonb                                      jsonb_build_object  stable nulls
 3263 jsonb_object(text[]) -> jsonb                                      py:jsonb_object
 3264 jsonb_object(text[], text[]) -> jsonb                              py:jsonb_object
 3956 json_array_length(json) -> int4                                    json_array_length
 3207 jsonb_array_length(jsonb) -> int4                                  jsonb_array_length
 3968 json_typeof(json) -> text                                          json_typeof
 3210 jsonb_typeof(jsonb) -> text                                        jsonb_typeof
 3951 json_extract_path(json, variadic text[]) -> json                   json_extract_path
 3217 jsonb_extract_path(jsonb, variadic text[]) -> jsonb                jsonb_extract_path
 3953 json_extract_path_text(json, variadic text[]) -> text              json_extract_path_text
 3940 jsonb_extract_path_text(jsonb, variadic text[]) -> text            jsonb_extract_path_text
 3947 json_object_field(json, text) -> json                              json_object_field
 3948 json_object_field_text(json, text) -> text                         json_object_field_text
 3949 json_array_element(json, int4) -> json                             json_array_element
 3950 json_array_element_text(json, int4) -> text                        json_array_element_text
 3478 jsonb_object_field(jsonb, text) -> jsonb                           jsonb_object_field
 3214 jsonb_object_field_text(jsonb, text) -> text                       jsonb_object_field_text
 3215 jsonb_array_element(jsonb, int4) -> jsonb                          jsonb_array_element
 3216 jsonb_array_element_text(jsonb, int4) -> text                      jsonb_array_element_text
 3958 json_each(json) -> setof record(key text, value json)              srf:json_each
 3959 json_each_text(json) -> setof record(key text, value text)         srf:json_each_text
 3208 jsonb_each(jsonb) -> setof record(key text, value jsonb)           srf:jsonb_each
 3932 jsonb_each_text(jsonb) -> setof record(key text, value text)       srf:jsonb_each_text
 3955 json_array_elements(json) -> setof json(value json)                srf:json_array_elements
 3969 json_array_elements_text(json) -> setof text(value text)           srf:json_array_elements_text
 3219 jsonb_array_elements(jsonb) -> setof jsonb(value jsonb)            srf:jsonb_array_elements
 3465 jsonb_array_elements_text(jsonb) -> setof text(value text)         srf:jsonb_array_elements_text
 3957 json_object_keys(json) -> setof text                               srf:json_object_keys
 3931 jsonb_object_keys(jsonb) -> setof text                             srf:jsonb_object_keys
 3261 json_strip_nulls(json) -> json                                     py:json_strip_nulls
 3262 jsonb_strip_nulls(jsonb) -> jsonb                                  py:jsonb_strip_nulls
 3305 jsonb_set(jsonb, text[], jsonb, create_if_missing bool = true) -> jsonb py:jsonb_set
 5054 jsonb_set_lax(jsonb, text[], jsonb, create_if_missing bool = true, null_value_treatment text = use_json_null) -> jsonb py:jsonb_set_lax  nulls
 3579 jsonb_insert(jsonb, text[], jsonb, insert_after bool = false) -> jsonb py:jsonb_insert
 3306 jsonb_pretty(jsonb) -> text                                        py:jsonb_pretty
 4005 jsonb_path_exists(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> bool py:jsonb_path_exists
 1177 jsonb_path_exists_tz(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> bool py:jsonb_path_exists_tz  stable
 4009 jsonb_path_match(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> bool py:jsonb_path_match
 2030 jsonb_path_match_tz(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> bool py:jsonb_path_match_tz  stable
 4006 jsonb_path_query(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> setof jsonb srf:jsonb_path_query
 1179 jsonb_path_query_tz(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> setof jsonb srf:jsonb_path_query_tz  stable
 4007 jsonb_path_query_array(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> jsonb py:jsonb_path_query_array
 1180 jsonb_path_query_array_tz(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> jsonb py:jsonb_path_query_array_tz  stable
 4008 jsonb_path_query_first(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> jsonb py:jsonb_path_query_first
 2023 jsonb_path_query_first_tz(target jsonb, path jsonpath, vars jsonb = {}, silent bool = false) -> jsonb py:jsonb_path_query_first_tz  stable
 3204 json_to_record(json) -> record  srf:json_columns  stable
 3490 jsonb_to_record(jsonb) -> record  srf:json_columns  stable
 3205 json_to_recordset(json) -> setof record  srf:json_columns  stable nulls
 3491 jsonb_to_recordset(jsonb) -> setof record  srf:json_columns  stable nulls
 3960 json_populate_record(base anyelement, from_json json, use_json_as_text bool = false) -> anyelement  srf:json_columns  stable nulls
 3209 jsonb_populate_record(anyelement, jsonb) -> anyelement  srf:json_columns  stable nulls
 3961 json_populate_recordset(base anyelement, from_json json, use_json_as_text bool = false) -> setof anyelement  srf:json_columns  stable nulls
 3475 jsonb_populate_recordset(anyelement, jsonb) -> setof anyelement  srf:json_columns  stable nulls
 3304 jsonb_delete_path(jsonb, text[]) -> jsonb                          py:jsonb_delete_path
""")
