# cython: wraparound=True
"""Time zones from TZif data: instant to offset, local time to offset, names and abbreviations.

A zone's rule for the future (the POSIX string at the end of its file) is expanded into transitions for 400 years past
the last listed one; later instants are folded back by whole 400-year cycles, in which the calendar repeats exactly.

I1  A TimeZone is complete before it is entered into the table of zones, and never changes or moves afterwards.
I2  The table is written with the GIL held and read without it: entries only ever get appended, the count last.
I3  at[] is strictly ascending; kind[i] < kind_count.
"""
import functools
import re
import struct
import zoneinfo
from importlib import resources
from pathlib import Path

import cython

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, malloc
from libc.string cimport memcpy, memset

from dsql_core.types.chars cimport lower_ascii
from dsql_core.types.calendar cimport US_PER_SECOND, floor_div

cdef enum:
    ZONES_MAX = 2048
    MADE_UP_MAX = 1024         # zones by offset or POSIX string: what clients invent must leave room for named ones

cdef extern from * nogil:
    """
    #define DSQL_CYCLE_SECONDS 12622780800LL   /* 400 Gregorian years */
    """
    const int64_t CYCLE_SECONDS "DSQL_CYCLE_SECONDS"

cdef const TimeZone* zones[2048]
cdef int zone_count = 0
cdef int made_up_count = 0
cdef ZoneKind utc_kind
memset(&utc_kind, 0, sizeof(utc_kind))
memcpy(utc_kind.abbreviation, b"UTC", 4)

UNIX_TO_EPOCH = 946684800        # 2000-01-01 in Unix time


# ------------------------------------------------------------------------------------------------ lookups, no GIL

cdef inline int32_t _index(const TimeZone* zone, int64_t second) noexcept nogil:
    # Number of transitions at or before `second`.
    cdef int32_t low = 0
    cdef int32_t high = zone.count
    cdef int32_t middle
    while low < high:
        middle = (low + high) >> 1
        if zone.at[middle] <= second:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline int64_t _folded(const TimeZone* zone, int64_t second) noexcept nogil:
    cdef int64_t last
    if zone.is_periodic and zone.count > 0:
        last = zone.at[zone.count - 1]
        if second >= last:
            return second - ((second - last) / CYCLE_SECONDS + 1) * CYCLE_SECONDS
    return second


cdef const ZoneKind* timezone_kind(const TimeZone* zone, int64_t utc_us) noexcept nogil:
    cdef int32_t i
    if zone == NULL:
        return &utc_kind
    if zone.count == 0:
        return &zone.kinds[0]
    i = _index(zone, _folded(zone, floor_div(utc_us, US_PER_SECOND)))
    return &zone.kinds[zone.kind[i - 1]] if i > 0 else &zone.kinds[0]


cdef int32_t timezone_offset(const TimeZone* zone, int64_t utc_us) noexcept nogil:
    if zone == NULL:
        return 0
    return timezone_kind(zone, utc_us).offset


cdef int32_t timezone_local_offset(const TimeZone* zone, int64_t local_us) noexcept nogil:
    # Looks at the first transition after (local time as if UTC) - 1 day: the only one that can matter.
    cdef int64_t local
    cdef int64_t boundary
    cdef int64_t before_at
    cdef int64_t after_at
    cdef int32_t before
    cdef int32_t after
    cdef int32_t i
    if zone == NULL:
        return 0
    if zone.count == 0:
        return zone.kinds[0].offset
    local = _folded(zone, floor_div(local_us, US_PER_SECOND))
    i = _index(zone, local - 86400)
    before = zone.kinds[zone.kind[i - 1]].offset if i > 0 else zone.kinds[0].offset
    if i == zone.count:
        return before
    boundary = zone.at[i]
    after = zone.kinds[zone.kind[i]].offset
    before_at = local - before
    after_at = local - after
    if before_at < boundary and after_at < boundary:
        return before
    if before_at >= boundary and after_at >= boundary:
        return after
    return before if before_at > after_at else after


cdef bint _same_name(const char* known, const uint8_t* name, size_t size) noexcept nogil:
    cdef size_t i
    for i in range(size):
        if known[i] == 0 or lower_ascii(<uint8_t>known[i]) != lower_ascii(name[i]):
            return False
    return known[size] == 0


cdef const TimeZone* timezone_find(const uint8_t* name, size_t size) noexcept nogil:
    cdef int i
    if size == 0 or size > 63:
        return NULL
    for i in range(zone_count):
        if _same_name(zones[i].name, name, size):
            return zones[i]
    with gil:
        try:
            return (<TimeZoneHandle>load_timezone(name[:size].decode("utf-8"))).zone
        except Exception:
            return NULL


# name, offset in minutes east, 1 = daylight saving. The part of PostgreSQL's default abbreviations in common use.
cdef struct Abbreviation:
    char name[8]
    int32_t minutes
    int32_t is_dst

cdef Abbreviation[96] abbreviations
cdef int abbreviation_count = 0

ABBREVIATIONS = """
utc 0 0 gmt 0 0 z 0 0 ut 0 0 uct 0 0 zulu 0 0 wet 0 0 west 60 1 wetdst 60 1 bst 60 1 cet 60 0 cest 120 1 cetdst 120 1
met 60 0 mest 120 1 metdst 120 1 mez 60 0 mesz 120 1 eet 120 0 eest 180 1 eetdst 180 1 msk 180 0
msd 240 1 ist 120 0 idt 180 1
sast 120 0 eat 180 0 pkt 300 0 pkst 360 1 cct 480 0 pht 480 0 hkt 480 0 sgt 480 0 jst 540 0 kst 540 0
kdt 600 1 aest 600 0 aedt 660 1 acst 570 0 acdt 630 1 awst 480 0 nzst 720 0 nzdt 780 1 nzt 720 0
hst -600 0 akst -540 0 akdt -480 1 pst -480 0 pdt -420 1 mst -420 0 mdt -360 1 cst -360 0 cdt -300 1 est -300 0
edt -240 1 ast -240 0 adt -180 1 nst -210 0 ndt -150 1 nft -210 0 brt -180 0 brst -120 1 art -180 0 clt -240 0
clst -180 1 cot -300 0 pet -300 0 uyt -180 0 wgt -180 0 azot -60 0 azost 0 1 wadt 480 1 wast 420 0
"""


def _fill_abbreviations():
    global abbreviation_count
    words = ABBREVIATIONS.split()
    for i in range(0, len(words), 3):
        name = words[i].encode()
        memcpy(abbreviations[abbreviation_count].name, <const char*>name, len(name) + 1)
        abbreviations[abbreviation_count].minutes = int(words[i + 1])
        abbreviations[abbreviation_count].is_dst = int(words[i + 2])
        abbreviation_count += 1


_fill_abbreviations()


cdef int timezone_abbreviation(const uint8_t* name, size_t size, int32_t* offset, int* is_dst) noexcept nogil:
    cdef int i
    for i in range(abbreviation_count):
        if _same_name(abbreviations[i].name, name, size):
            offset[0] = abbreviations[i].minutes * 60
            is_dst[0] = abbreviations[i].is_dst
            return 1
    return 0


# ---------------------------------------------------------------------------------------------- loading, with the GIL

@cython.final
cdef class TimeZoneHandle:
    """A loaded time zone; `name` is its canonical name. C code takes the pointer `zone` from it (valid for ever)."""

    def offset(self, seconds: int) -> int:
        """Seconds east of UTC at a Unix time."""
        return timezone_offset(self.zone, (seconds - UNIX_TO_EPOCH) * 1000000)

    def __repr__(self):
        return f"TimeZoneHandle({self.name!r})"


def _read(name: str) -> bytes:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or not re.fullmatch(r"[A-Za-z0-9_+\-/]+", name):
        raise LookupError(name)
    for root in zoneinfo.TZPATH:
        path = Path(root, *parts)
        if path.is_file():
            return path.read_bytes()
    try:
        return resources.files("tzdata").joinpath("zoneinfo", *parts).read_bytes()
    except (FileNotFoundError, ModuleNotFoundError, IsADirectoryError):
        raise LookupError(name) from None


@functools.cache
def _names() -> dict:
    """Names of all zones by their lower case: walking the zone files takes milliseconds."""
    return {known.lower(): known for known in zoneinfo.available_timezones()}


def _canonical(name: str) -> str:
    return _names()[name.lower()]


def _parse_tzif(data: bytes):
    """Transitions [(unix second, kind index)], kinds [(offset, is_dst, abbreviation)] and the footer of a TZif file."""
    if data[:4] != b"TZif":
        raise ValueError("not a TZif file")
    at = 0
    width = 4
    head = struct.unpack(">6l", data[20:44])
    if data[4:5] >= b"2":
        isut, isstd, leap, count, kinds, chars = head
        at = 44 + count * 5 + kinds * 6 + chars + leap * 8 + isstd + isut
        head = struct.unpack(">6l", data[at + 20 : at + 44])
        width = 8
    isut, isstd, leap, count, kinds, chars = head
    at += 44
    seconds = struct.unpack(f">{count}{'q' if width == 8 else 'l'}", data[at : at + count * width])
    at += count * width
    indexes = data[at : at + count]
    at += count
    raw = [struct.unpack(">lbB", data[at + 6 * i : at + 6 * i + 6]) for i in range(kinds)]
    at += kinds * 6
    names = data[at : at + chars]
    at += chars + leap * (width + 4) + isstd + isut
    footer = data[at:].strip(b"\n").decode() if width == 8 else ""
    table = [(offset, dst, names[index:].split(b"\0", 1)[0].decode()) for offset, dst, index in raw]
    return list(zip(seconds, indexes, strict=True)), table, footer


POSIX_NAME = r"(<[A-Za-z0-9+\-]+>|[A-Za-z]+)"
POSIX_TIME = r"([+-]?\d{1,3}(?::\d{1,2}(?::\d{1,2})?)?)"


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    fields = [int(f) for f in text.lstrip("+-").split(":")]
    fields += [0] * (3 - len(fields))
    if fields[0] > 167 or fields[1] > 59 or fields[2] > 60:
        raise LookupError(text)
    return sign * (fields[0] * 3600 + fields[1] * 60 + fields[2])


def _days(year: int, month: int, day: int) -> int:
    year -= month <= 2
    era = year // 400
    yoe = year - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


def _rule_second(rule: str, year: int) -> int:
    """Local second (as if UTC, Unix) at which a POSIX rule like M3.2.0/2 strikes in a year."""
    date, _, time = rule.partition("/")
    second = _seconds(time) if time else 7200
    if date.startswith("M"):
        month, week, weekday = (int(f) for f in date[1:].split("."))
        first = _days(year, month, 1)
        day = first + (weekday - (first + 4)) % 7 + (week - 1) * 7
        following = _days(year + month // 12, month % 12 + 1, 1)
        while day >= following:
            day -= 7
    elif date.startswith("J"):
        n = int(date[1:])
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        day = _days(year, 1, 1) + n - 1 + (1 if leap and n >= 60 else 0)
    else:
        day = _days(year, 1, 1) + int(date)
    return day * 86400 + second


def _parse_posix(text: str):
    """(std kind, dst kind or None, start rule, end rule) of a POSIX TZ string; LookupError when it is none."""
    match = re.fullmatch(
        POSIX_NAME + POSIX_TIME + "(?:" + POSIX_NAME + POSIX_TIME + r"?(?:,([MJ0-9./:+\-]+),([MJ0-9./:+\-]+))?)?", text
    )
    if match is None:
        raise LookupError(text)
    std_name, std_time, dst_name, dst_time, start, end = match.groups()
    std = (-_seconds(std_time), 0, std_name.strip("<>"))
    if dst_name is None:
        return std, None, None, None
    dst = (-_seconds(dst_time) if dst_time else std[0] + 3600, 1, dst_name.strip("<>"))
    return std, dst, start or "M3.2.0", end or "M11.1.0"


def _extend(transitions, kinds, footer):
    """Appends 400 years of the footer's rule. True when the result repeats from then on."""
    std, dst, start, end = _parse_posix(footer)
    for kind in (std, dst):
        if kind is not None and kind not in kinds:
            kinds.append(kind)
    last = transitions[-1][0] if transitions else -5_000_000_000
    if dst is None:
        if not transitions or kinds[transitions[-1][1]] != std:
            transitions.append((last + 1, kinds.index(std)))
        return False
    first_year = 1970 + last // 31556952 - 1
    changes = []
    for year in range(first_year, first_year + 404):
        changes.append((_rule_second(start, year) - std[0], kinds.index(dst)))
        changes.append((_rule_second(end, year) - dst[0], kinds.index(std)))
    current = transitions[-1][1] if transitions else kinds.index(std)
    for second, kind in sorted(changes):
        if second > last and kind != current:
            transitions.append((second, kind))
            current = kind
    return True


cdef const TimeZone* _build(str name, transitions, kinds, bint periodic) except NULL:
    cdef TimeZone* zone = <TimeZone*>calloc(1, sizeof(TimeZone))
    cdef bytes text = name.encode()
    cdef int32_t count = len(transitions)
    cdef int32_t i
    if zone == NULL or len(text) > 63 or len(kinds) > 255:
        raise MemoryError
    memcpy(zone.name, <const char*>text, len(text))
    zone.kinds = <ZoneKind*>calloc(len(kinds), sizeof(ZoneKind))
    zone.at = <int64_t*>malloc((count + 1) * 8)
    zone.kind = <uint8_t*>malloc(count + 1)
    if zone.kinds == NULL or zone.at == NULL or zone.kind == NULL:
        raise MemoryError
    for i, (offset, is_dst, abbreviation) in enumerate(kinds):
        zone.kinds[i].offset = offset
        zone.kinds[i].is_dst = is_dst
        text = abbreviation.encode()[:10]
        memcpy(zone.kinds[i].abbreviation, <const char*>text, len(text))
    for i, (second, kind) in enumerate(transitions):
        zone.at[i] = second - UNIX_TO_EPOCH
        zone.kind[i] = kind
    zone.count = count
    zone.kind_count = len(kinds)
    zone.is_periodic = periodic
    return zone


def _numeric_zone(name: str):
    """Kinds and canonical name of "-8", "+05:30", "5.5": hours east, as SET TIME ZONE takes them."""
    match = re.fullmatch(r"([+-]?)(\d{1,2})(?::(\d\d)(?::(\d\d))?|(\.\d+))?", name)
    if match is None:
        raise LookupError(name)
    sign, hours, minutes, seconds, fraction = match.groups()
    offset = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + round(float(fraction or 0) * 3600)
    if offset > 15 * 3600 + 59 * 60 + 59:
        raise LookupError(name)
    east = -offset if sign == "-" else offset

    def shown(value: int) -> str:
        text = f"{abs(value) // 3600:02d}"
        if value % 60:
            text += f":{abs(value) // 60 % 60:02d}:{abs(value) % 60:02d}"
        elif value % 3600:
            text += f":{abs(value) // 60 % 60:02d}"
        return ("-" if value < 0 else "+") + text

    return [(east, 0, shown(east))], f"<{shown(east)}>{shown(-east)}"


def load_timezone(str name not None) -> TimeZoneHandle:
    """The zone of an IANA name (any case), a number of hours east or a POSIX string; LookupError when there is none."""
    global zone_count, made_up_count
    cdef TimeZoneHandle handle = TimeZoneHandle.__new__(TimeZoneHandle)
    cdef const TimeZone* zone
    cdef int i
    cdef bytes key = name.encode()
    for i in range(zone_count):
        if _same_name(zones[i].name, <const uint8_t*><const char*>key, len(key)):
            handle.zone = zones[i]
            handle.name = zones[i].name.decode()
            return handle
    canonical = name
    made_up = False
    try:
        try:
            data = _read(name)
        except LookupError:
            canonical = _canonical(name)
            data = _read(canonical)
        transitions, kinds, footer = _parse_tzif(data)
        periodic = _extend(transitions, kinds, footer) if footer else False
    except LookupError:
        transitions = []
        periodic = False
        made_up = True
        try:
            kinds, canonical = _numeric_zone(name)
        except LookupError:
            std, dst, _, _ = _parse_posix(name)
            kinds = [std]
            if dst is not None:
                periodic = _extend(transitions, kinds, name)
    if zone_count == ZONES_MAX or (made_up and made_up_count == MADE_UP_MAX):
        raise LookupError(name)
    for i in range(zone_count):
        if zones[i].name.decode() == canonical:
            handle.zone = zones[i]
            handle.name = canonical
            return handle
    zone = _build(canonical, transitions, kinds, periodic)
    zones[zone_count] = zone
    zone_count += 1
    made_up_count += made_up
    handle.zone = zone
    handle.name = canonical
    return handle
