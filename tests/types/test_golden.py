"""Golden values: forms and refusals that hold without an oracle, and those new in PostgreSQL 16."""

from __future__ import annotations

import pytest

from dsql_core import types
from dsql_core.types import Format, TypeFormatError, load_timezone

GOLDEN = [
    (16, " TRUE ", "t"),
    (16, "of", "f"),
    (21, "-32768", "-32768"),
    (23, "0x1F", "31"),
    (23, "-0o17", "-15"),
    (23, "0b101", "5"),
    (23, "1_000_000", "1000000"),
    (20, "0x_ff", "255"),
    (20, "-9223372036854775808", "-9223372036854775808"),
    (20, "-0x8000000000000000", "-9223372036854775808"),
    (1700, "1_000.000_1", "1000.0001"),
    (1700, "0xFFFFFFFFFFFFFFFFFFFF", "1208925819614629174706175"),
    (1700, "0o7_7", "63"),
    (1700, "1e1_0", "10000000000"),
    (26, "-1", "4294967295"),
    (701, "0.1", "0.1"),
    (701, "1e15", "1e+15"),
    (701, "123456789012345", "123456789012345"),
    (701, "5e-324", "5e-324"),
    (701, "-0", "-0"),
    (700, "16777216", "1.6777216e+07"),
    (700, "3.4e38", "3.4e+38"),
    (701, "inf", "Infinity"),
    (1700, "1.50", "1.50"),
    (1700, "1.5e-7", "0.00000015"),
    (1700, "-inf", "-Infinity"),
    (17, "a\\001\\\\", "\\x61015c"),
    (2950, "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    (1082, "Jan 8, 1999", "1999-01-08"),
    (1082, "0044-03-15 BC", "0044-03-15 BC"),
    (1114, "2000-01-01 23:59:59.9999999", "2000-01-02 00:00:00"),
    (1184, "2000-07-01 12:00 America/New_York", "2000-07-01 16:00:00+00"),
    (1083, "040506.7", "04:05:06.7"),
    (1266, "04:05:06-8", "04:05:06-08"),
    (1186, "1 year -2 days 3:04", "1 year -2 days +03:04:00"),
    (1186, "P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5"),
    (114, ' {"b":1, "a":1} ', ' {"b":1, "a":1} '),
    (3802, '{"bb":1,"a":[1.0,null],"a":2,"b":"\\u00e9"}', '{"a": 2, "b": "é", "bb": 1}'),
    (1007, "[0:1]={1,2}", "[0:1]={1,2}"),
    (1009, '{a,"b c",NULL,"NULL",""}', '{a,"b c",NULL,"NULL",""}'),
    (1007, "{{1,2},{3,4}}", "{{1,2},{3,4}}"),
    (22, "1 2", "1 2"),
    (19, "é" * 40, "é" * 31),
    (18, "\\377", "\\377"),
]

REFUSED = [
    (23, "x", "22P02", 'invalid input syntax for type integer: "x"'),
    (23, "2147483648", "22003", 'value "2147483648" is out of range for type integer'),
    (23, "_1", "22P02", 'invalid input syntax for type integer: "_1"'),
    (23, "1__0", "22P02", 'invalid input syntax for type integer: "1__0"'),
    (23, "0x", "22P02", 'invalid input syntax for type integer: "0x"'),
    (21, "32768", "22003", 'value "32768" is out of range for type smallint'),
    (20, "9223372036854775808", "22003", 'value "9223372036854775808" is out of range for type bigint'),
    (16, "maybe", "22P02", 'invalid input syntax for type boolean: "maybe"'),
    (701, "1e400", "22003", '"1e400" is out of range for type double precision'),
    (1700, "1.2.3", "22P02", 'invalid input syntax for type numeric: "1.2.3"'),
    (2950, "x", "22P02", 'invalid input syntax for type uuid: "x"'),
    (1082, "2000-02-30", "22008", 'date/time field value out of range: "2000-02-30"'),
    (1082, "y2000m01d01", "22007", 'invalid input syntax for type date: "y2000m01d01"'),
    (1114, "2000-01-01 25:00", "22008", 'date/time field value out of range: "2000-01-01 25:00"'),
    (1184, "2000-01-01 Foo/Bar", "22023", 'time zone "foo/bar" not recognized'),
    (1184, "2000-01-01 10:00+16", "22009", 'time zone displacement out of range: "2000-01-01 10:00+16"'),
    (1186, "999999999999999999999 days", "22015", 'interval field value out of range: "999999999999999999999 days"'),
    (17, "\\xz0", "22023", 'invalid hexadecimal digit: "z"'),
    (17, "\\9", "22P02", "invalid input syntax for type bytea"),
    (25, b"a\xff", "22021", 'invalid byte sequence for encoding "UTF8": 0xff'),
    (25, b"a\xc3", "22021", 'invalid byte sequence for encoding "UTF8": 0xc3'),
    (25, b"a\xed\xa0\x80", "22021", 'invalid byte sequence for encoding "UTF8": 0xed 0xa0 0x80'),
    (25, b"a\0b", "22021", 'invalid byte sequence for encoding "UTF8": 0x00'),
    (114, "{", "22P02", "invalid input syntax for type json"),
    (3802, '"\\u0000"', "22P05", "unsupported Unicode escape sequence"),
    (3802, "[" * 7000, "54001", "stack depth limit exceeded"),
    (1007, "{1,2", "22P02", 'malformed array literal: "{1,2"'),
]


@pytest.mark.parametrize(("oid", "text", "printed"), GOLDEN)
def test_text(oid, text, printed):
    assert types.normalise(oid, text) == printed
    assert types.decode(oid, types.encode(oid, text)) == printed


@pytest.mark.parametrize(("oid", "text", "sqlstate", "message"), REFUSED)
def test_refused(oid, text, sqlstate, message):
    with pytest.raises(TypeFormatError) as caught:
        types.normalise(oid, text)
    assert (caught.value.sqlstate, caught.value.message) == (sqlstate, message)


@pytest.mark.parametrize(
    ("oid", "data", "sqlstate"),
    [
        (23, b"\0\0\0", "08P01"),
        (23, b"\0\0\0\0\0", "22P03"),
        (1700, b"\0\1\0\0\0\0\0\0", "08P01"),
        (3802, b"\x02{}", "XX000"),
        (1700, b"\0\1\0\0\0\0\0\0\x7f\xff", "22P03"),
        (25, b"\xff", "22021"),
        (1007, b"\0\0\0\1", "08P01"),
        (2950, b"x", "08P01"),
        (1082, b"\x7f\xff\xff\xfe", "22008"),
        (1007, b"\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\0\0\0\0\1", "42804"),
    ],
)
def test_bad_binary(oid, data, sqlstate):
    with pytest.raises(TypeFormatError) as caught:
        types.decode(oid, data)
    assert caught.value.sqlstate == sqlstate


@pytest.mark.parametrize(
    ("oid", "typmod", "text", "assigned", "cast"),
    [
        (1043, 7, "abc", "abc", "abc"),
        (1043, 7, "abc  ", "abc", "abc"),
        (1043, 7, "éèê", "éèê", "éèê"),
        (1043, 7, "abcd", ("22001", "value too long for type character varying(3)"), "abc"),
        (1042, 7, "a", "a  ", "a  "),
        (1042, 7, "abcd", ("22001", "value too long for type character(3)"), "abc"),
        (1700, (5 << 16 | 2) + 4, "1.005", "1.01", "1.01"),
        (1700, (5 << 16 | 2) + 4, "1", "1.00", "1.00"),
        (1700, (5 << 16 | 2) + 4, "1000", ("22003", "numeric field overflow"), ("22003", "numeric field overflow")),
        (1700, (3 << 16 | (-2 & 0x7FF)) + 4, "12345", "12300", "12300"),
        (1114, 0, "2000-01-01 00:00:00.5", "2000-01-01 00:00:01", "2000-01-01 00:00:01"),
        (1186, (4 << 16) | 0xFFFF, "1 year 5 mons", "1 year", "1 year"),
    ],
)
def test_typmod(oid, typmod, text, assigned, cast):
    for explicit, wanted in ((False, assigned), (True, cast)):
        if isinstance(wanted, tuple):
            with pytest.raises(TypeFormatError) as caught:
                types.coerce(oid, text, typmod, explicit)
            assert (caught.value.sqlstate, caught.value.message) == wanted
        else:
            assert types.coerce(oid, text, typmod, explicit) == wanted


def test_numeric_overflow_detail():
    with pytest.raises(TypeFormatError) as caught:
        types.normalise(1700, "100", (3 << 16 | 1) + 4)
    assert caught.value.detail == "A field with precision 3, scale 1 must round to an absolute value less than 10^2."


def test_now_and_today():
    now = Format(timezone=load_timezone("America/New_York"), now_us=0)  # 2000-01-01 00:00 UTC
    assert types.normalise(1184, "now", format=now) == "1999-12-31 19:00:00-05"
    assert types.normalise(1082, "today", format=now) == "1999-12-31"
    assert types.normalise(1082, "tomorrow", format=now) == "2000-01-01"
    assert types.normalise(1114, "yesterday", format=now) == "1999-12-30 00:00:00"


@pytest.mark.parametrize(
    ("name", "canonical", "winter", "summer"),
    [
        ("utc", "UTC", 0, 0),
        ("america/new_york", "America/New_York", -18000, -14400),
        ("+05:30", "<+05:30>-05:30", 19800, 19800),
        ("-8", "<-08>+08", -28800, -28800),
        ("EST5EDT,M3.2.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0", -18000, -14400),
    ],
)
def test_load_timezone(name, canonical, winter, summer):
    zone = load_timezone(name)
    assert zone.name == canonical
    for year_seconds in (0, 12622780800):  # the same four centuries later
        assert zone.offset(1704067200 + year_seconds) == winter
        assert zone.offset(1719792000 + year_seconds) == summer


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", "+25", "America"])
def test_unknown_timezone(name):
    with pytest.raises(LookupError):
        load_timezone(name)


def test_every_timezone_agrees_with_zoneinfo():
    """Offsets of all zones at the middle of each month of a few decades."""
    import datetime
    import zoneinfo

    for name in sorted(zoneinfo.available_timezones()):
        ours, theirs = load_timezone(name), zoneinfo.ZoneInfo(name)
        for year in (1901, 1945, 1970, 1999, 2024, 2037, 2060, 2300):
            for month in (1, 4, 7, 11):
                moment = datetime.datetime(year, month, 15, 12, tzinfo=datetime.UTC)
                wanted = moment.astimezone(theirs).utcoffset().total_seconds()
                assert ours.offset(int(moment.timestamp())) == wanted, (name, moment)
