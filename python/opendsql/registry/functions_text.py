"""Functions of text and bytea.

One line per overload: `oid name(arguments) -> result  implementation  flags` (table.py explains the columns).
"""

from opendsql.registry.table import functions

FUNCTIONS = functions("""
# length
  720 octet_length(bytea) -> int4                                        byteaoctetlen
 1374 octet_length(text) -> int4                                         textoctetlen
 1375 octet_length(bpchar) -> int4                                       bpcharoctetlen
 1810 bit_length(bytea) -> int4                                          bytea_bit_length
 1811 bit_length(text) -> int4                                           text_bit_length
 1317 length(text) -> int4                                               textlen
 1318 length(bpchar) -> int4                                             bpcharlen
 1713 length(bytea, name) -> int4                                        py:length_in_encoding  stable
 2010 length(bytea) -> int4                                              byteaoctetlen
 1372 char_length(bpchar) -> int4                                        bpcharlen
 1381 char_length(text) -> int4                                          textlen
 1367 character_length(bpchar) -> int4                                   bpcharlen
 1369 character_length(text) -> int4                                     textlen
# text
  870 lower(text) -> text                                                lower
  871 upper(text) -> text                                                upper
  872 initcap(text) -> text                                              initcap
  877 substr(text, int4, int4) -> text                                   text_substr
  883 substr(text, int4) -> text                                         text_substr_no_len
 2085 substr(bytea, int4, int4) -> bytea                                 bytea_substr
 2086 substr(bytea, int4) -> bytea                                       bytea_substr_no_len
  936 substring(text, int4, int4) -> text                                text_substr
  937 substring(text, int4) -> text                                      text_substr_no_len
 2012 substring(bytea, int4, int4) -> bytea                              bytea_substr
 2013 substring(bytea, int4) -> bytea                                    bytea_substr_no_len
 2074 substring(text, text, text) -> text                                py:substring_similar
  749 overlay(bytea, bytea, int4, int4) -> bytea                         byteaoverlay
  752 overlay(bytea, bytea, int4) -> bytea                               byteaoverlay_no_len
 1404 overlay(text, text, int4, int4) -> text                            textoverlay
 1405 overlay(text, text, int4) -> text                                  textoverlay_no_len
  849 position(text, text) -> int4                                       textpos
 2014 position(bytea, bytea) -> int4                                     byteapos
  868 strpos(text, text) -> int4                                         textpos
 3060 left(text, int4) -> text                                           text_left
 3061 right(text, int4) -> text                                          text_right
  873 lpad(text, int4, text) -> text                                     lpad
  879 lpad(text, int4) -> text                                           lpad
  874 rpad(text, int4, text) -> text                                     rpad
  880 rpad(text, int4) -> text                                           rpad
  875 ltrim(text, text) -> text                                          ltrim
  881 ltrim(text) -> text                                                ltrim1
 6195 ltrim(bytea, bytea) -> bytea                                       bytealtrim
  876 rtrim(text, text) -> text                                          rtrim
  882 rtrim(text) -> text                                                rtrim1
 6196 rtrim(bytea, bytea) -> bytea                                       byteartrim
  884 btrim(text, text) -> text                                          btrim
  885 btrim(text) -> text                                                btrim1
 2015 btrim(bytea, bytea) -> bytea                                       byteatrim
 2087 replace(text, text, text) -> text                                  replace_text
 1622 repeat(text, int4) -> text                                         repeat
 3062 reverse(text) -> text                                              text_reverse
 2088 split_part(text, text, int4) -> text                               split_part
 3058 concat(variadic any) -> text                                       text_concat  stable nulls
 3059 concat_ws(text, variadic any) -> text                              text_concat_ws  stable nulls
 1620 ascii(text) -> int4                                                ascii
 1621 chr(int4) -> text                                                  chr
  878 translate(text, text, text) -> text                                translate
 3696 starts_with(text, text) -> bool                                    text_starts_with
 2311 md5(text) -> text                                                  md5_text
 2321 md5(bytea) -> text                                                 md5_bytea
 2089 to_hex(int4) -> text                                               to_hex32
 2090 to_hex(int8) -> text                                               to_hex64
 1282 quote_ident(text) -> text                                          py:quote_ident
 1283 quote_literal(text) -> text                                        quote_literal
 1285 quote_literal(anyelement) -> text                                  quote_literal  stable
 1289 quote_nullable(text) -> text                                       quote_nullable  nulls
 1290 quote_nullable(anyelement) -> text                                 quote_nullable  stable nulls
 3539 format(text, variadic any) -> text                                 py:format  stable nulls
 3540 format(text) -> text                                               py:format  stable nulls
 1569 like(text, text) -> bool                                           textlike
 1571 like(name, text) -> bool                                           namelike
 2007 like(bytea, bytea) -> bool                                         bytealike
 1570 notlike(text, text) -> bool                                        textnlike
 1572 notlike(name, text) -> bool                                        namenlike
 2008 notlike(bytea, bytea) -> bool                                      byteanlike
 1637 like_escape(text, text) -> text                                    like_escape
 2009 like_escape(bytea, bytea) -> bytea                                 like_escape_bytea
 6160 string_to_table(text, text) -> setof text                          srf:string_to_table  nulls
 6161 string_to_table(text, text, text) -> setof text                    srf:string_to_table  nulls
 1946 encode(bytea, text) -> text                                        binary_encode
 1947 decode(text, text) -> bytea                                        binary_decode
 3419 sha224(bytea) -> bytea                                             py:sha224
 3420 sha256(bytea) -> bytea                                             py:sha256
 3421 sha384(bytea) -> bytea                                             py:sha384
 3422 sha512(bytea) -> bytea                                             py:sha512
 1714 convert_from(bytea, name) -> text                                  py:convert_from  stable
 1717 convert_to(text, name) -> bytea                                    py:convert_to  stable
 4350 normalize(text, text = NFC) -> text                                py:normalize
 4351 is_normalized(text, text = NFC) -> bool                            py:is_normalized
 6198 unistr(text) -> text                                               py:unistr
 1268 parse_ident(text, strict bool = true) -> text[]                    py:parse_ident
  721 get_byte(bytea, int4) -> int4                                      byteaGetByte
  722 set_byte(bytea, int4, int4) -> bytea                               byteaSetByte
  723 get_bit(bytea, int8) -> int4                                       byteaGetBit
  724 set_bit(bytea, int8, int4) -> bytea                                byteaSetBit
 6163 bit_count(bytea) -> int8                                           bytea_bit_count
  458 text_larger(text, text) -> text                                    text_larger
  459 text_smaller(text, text) -> text                                   text_smaller
# patterns
 2073 substring(text, text) -> text                                      py:textregexsubstr
 1623 similar_escape(text, text) -> text                                 py:similar_escape  nulls
 1986 similar_to_escape(text, text) -> text                              py:similar_to_escape
 1987 similar_to_escape(text) -> text                                    py:similar_to_escape
 2284 regexp_replace(text, text, text) -> text                           py:regexp_replace
 2285 regexp_replace(text, text, text, text) -> text                     py:regexp_replace
 6251 regexp_replace(text, text, text, int4, int4, text) -> text         py:regexp_replace_from
 6252 regexp_replace(text, text, text, int4, int4) -> text               py:regexp_replace_from
 6253 regexp_replace(text, text, text, int4) -> text                     py:regexp_replace_from
 2763 regexp_matches(text, text) -> setof text[]                         srf:regexp_matches
 2764 regexp_matches(text, text, text) -> setof text[]                   srf:regexp_matches
 3396 regexp_match(text, text) -> text[]                                 py:regexp_match
 3397 regexp_match(text, text, text) -> text[]                           py:regexp_match
 2765 regexp_split_to_table(text, text) -> setof text                    srf:regexp_split_to_table
 2766 regexp_split_to_table(text, text, text) -> setof text              srf:regexp_split_to_table
 2767 regexp_split_to_array(text, text) -> text[]                        py:regexp_split_to_array
 2768 regexp_split_to_array(text, text, text) -> text[]                  py:regexp_split_to_array
 6254 regexp_count(text, text) -> int4                                   py:regexp_count
 6255 regexp_count(text, text, int4) -> int4                             py:regexp_count
 6256 regexp_count(text, text, int4, text) -> int4                       py:regexp_count
 6257 regexp_instr(text, text) -> int4                                   py:regexp_instr
 6258 regexp_instr(text, text, int4) -> int4                             py:regexp_instr
 6259 regexp_instr(text, text, int4, int4) -> int4                       py:regexp_instr
 6260 regexp_instr(text, text, int4, int4, int4) -> int4                 py:regexp_instr
 6261 regexp_instr(text, text, int4, int4, int4, text) -> int4           py:regexp_instr
 6262 regexp_instr(text, text, int4, int4, int4, text, int4) -> int4     py:regexp_instr
 6263 regexp_like(text, text) -> bool                                    py:regexp_like
 6264 regexp_like(text, text, text) -> bool                              py:regexp_like
 6265 regexp_substr(text, text) -> text                                  py:regexp_substr
 6266 regexp_substr(text, text, int4) -> text                            py:regexp_substr
 6267 regexp_substr(text, text, int4, int4) -> text                      py:regexp_substr
 6268 regexp_substr(text, text, int4, int4, text) -> text                py:regexp_substr
 6269 regexp_substr(text, text, int4, int4, text, int4) -> text          py:regexp_substr
# PostgreSQL 16 has these and 15 does not
 6210 pg_input_is_valid(text, text) -> bool                              py:pg_input_is_valid  stable
""")
