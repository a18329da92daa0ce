# cython: wraparound=True
"""What Python sees of the types: text to binary and back, comparison, hash, and numeric arithmetic on text.

Meant for catalog code, tools and tests; hot paths call types/io directly. A failure raises TypeFormatError, which
carries the SQLSTATE, message and detail PostgreSQL would report.

I1  Each call owns one Pool and one Buffer for its duration and frees them on every way out.
"""
import cython
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from dsql_core.base.error cimport dsql_error_clear, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_free, buffer_init, pool_free, pool_init, pool_reset
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport OID_NUMERIC, Value, Var
from dsql_core.types.io cimport (
    FormatSettings, type_apply_typmod, type_compare, type_hash, type_input, type_output, type_receive, type_send,
)
from dsql_core.types.numeric cimport (
    numeric_abs, numeric_add, numeric_ceil, numeric_div, numeric_div_trunc, numeric_floor, numeric_mod, numeric_mul,
    numeric_neg, numeric_round, numeric_sqrt, numeric_sub, numeric_trunc,
)
from dsql_core.types.numeric_power cimport numeric_power_int
from dsql_core.types.numeric_sum cimport NumericSum, numeric_sum_add, numeric_sum_average, numeric_sum_total
from dsql_core.types.timezone cimport TimeZoneHandle


class TypeFormatError(ValueError):
    """A value refused by its type: `sqlstate`, `message` and `detail` are PostgreSQL's."""

    def __init__(self, sqlstate: str, message: str, detail: str = ""):
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail


cdef object refusal(const dsql_error_t* error):
    return TypeFormatError(
        error.sqlstate.decode(), error.message.decode("utf-8", "replace"), error.detail.decode("utf-8", "replace")
    )


DATE_STYLES = {"iso": 0, "sql": 1, "postgres": 2, "german": 3}
DATE_ORDERS = {"mdy": 0, "dmy": 1, "ymd": 2}
INTERVAL_STYLES = {"postgres": 0, "postgres_verbose": 1, "sql_standard": 2, "iso_8601": 3}


@cython.final
cdef class Format:
    """Settings that text formats depend on: time zone, styles, and the time 'now' stands for."""

    def __cinit__(self, timezone: TimeZoneHandle | None = None, date_style: str = "iso", date_order: str = "mdy",
                  interval_style: str = "postgres", bytea_escape: bool = False, extra_float_digits: int = 1,
                  now_us: int = 0):
        self.timezone = timezone
        self.settings.timezone = (<TimeZoneHandle>timezone).zone if timezone is not None else NULL
        self.settings.date_style = DATE_STYLES[date_style]
        self.settings.date_order = DATE_ORDERS[date_order]
        self.settings.interval_style = INTERVAL_STYLES[interval_style]
        self.settings.bytea_escape = bytea_escape
        self.settings.extra_float_digits = extra_float_digits
        self.settings.now_us = now_us


cdef const FormatSettings* settings_of(Format format) noexcept:
    return &format.settings if format is not None else NULL


cdef bytes _bytes(object text):
    return text.encode("utf-8") if isinstance(text, str) else bytes(text)


cdef bytes _run(uint32_t oid, int32_t typmod, bytes data, bint text_in, bint text_out, Format format):
    # One format to the other (or the same) through the value.
    cdef Pool pool
    cdef Buffer out
    cdef Value value
    cdef dsql_error_t error
    cdef int status
    pool_init(&pool, 0)
    buffer_init(&out)
    dsql_error_clear(&error)
    memset(&value, 0, sizeof(value))
    try:
        if text_in:
            status = type_input(oid, typmod, <const uint8_t*>data, len(data), settings_of(format), &pool, &value,
                                &error)
        else:
            status = type_receive(oid, typmod, <const uint8_t*>data, len(data), &pool, &value, &error)
        if status < 0:
            raise refusal(&error)
        status = type_output(&value, settings_of(format), &out) if text_out else type_send(&value, &out)
        if status < 0:
            raise MemoryError
        return out.data[:out.size] if out.size else b""
    finally:
        buffer_free(&out)
        pool_free(&pool)


def encode(oid: int, text: str | bytes, typmod: int = -1, format: Format | None = None) -> bytes:
    """Binary wire form of a value given as text."""
    return _run(oid, typmod, _bytes(text), True, False, format)


def decode(oid: int, data: bytes, typmod: int = -1, format: Format | None = None) -> str:
    """Text of a value given in its binary wire form."""
    return _run(oid, typmod, bytes(data), False, True, format).decode("utf-8", "surrogateescape")


def normalise(oid: int, text: str | bytes, typmod: int = -1, format: Format | None = None) -> str:
    """What a value given as text prints as."""
    return _run(oid, typmod, _bytes(text), True, True, format).decode("utf-8", "surrogateescape")


def coerce(oid: int, text: str | bytes, typmod: int, explicit: bool, format: Format | None = None) -> str:
    """Text of a value after its length coercion to typmod, as a cast (explicit) or an assignment does it."""
    cdef Pool pool
    cdef Buffer out
    cdef Value value
    cdef dsql_error_t error
    cdef bytes data = _bytes(text)
    pool_init(&pool, 0)
    buffer_init(&out)
    dsql_error_clear(&error)
    try:
        if type_input(oid, -1, <const uint8_t*>data, len(data), settings_of(format), &pool, &value, &error) < 0 or \
                type_apply_typmod(typmod, explicit, &value, &pool, &error) < 0:
            raise refusal(&error)
        if type_output(&value, settings_of(format), &out) < 0:
            raise MemoryError
        return out.data[:out.size].decode() if out.size else ""
    finally:
        buffer_free(&out)
        pool_free(&pool)


def compare(oid: int, a: str | bytes, b: str | bytes) -> int:
    """-1, 0 or 1: order of two values given as text."""
    return _pair(oid, _bytes(a), _bytes(b))[0]


def same_hash(oid: int, a: str | bytes, b: str | bytes) -> bool:
    """Whether two values given as text hash alike."""
    return _pair(oid, _bytes(a), _bytes(b))[1]


cdef tuple _pair(uint32_t oid, bytes a, bytes b):
    cdef Pool pool
    cdef Value x
    cdef Value y
    cdef dsql_error_t error
    pool_init(&pool, 0)
    dsql_error_clear(&error)
    try:
        if type_input(oid, -1, <const uint8_t*>a, len(a), NULL, &pool, &x, &error) < 0 or \
                type_input(oid, -1, <const uint8_t*>b, len(b), NULL, &pool, &y, &error) < 0:
            raise refusal(&error)
        return type_compare(&x, &y), type_hash(&x) == type_hash(&y)
    finally:
        pool_free(&pool)


def numeric(op: str, a: str, b: str | int | None = None) -> str:
    """Numeric arithmetic on text: op is + - * / % div, neg abs ceil floor sqrt; round, trunc with a scale b;
    ^ with an integer b."""
    cdef Pool pool
    cdef Buffer out
    cdef Value x
    cdef Value y
    cdef dsql_error_t error
    cdef bytes left = a.encode()
    cdef bytes right = b.encode() if isinstance(b, str) else b""
    cdef int status
    pool_init(&pool, 0)
    buffer_init(&out)
    dsql_error_clear(&error)
    try:
        if type_input(OID_NUMERIC, -1, <const uint8_t*>left, len(left), NULL, &pool, &x, &error) < 0:
            raise refusal(&error)
        if isinstance(b, str) and \
                type_input(OID_NUMERIC, -1, <const uint8_t*>right, len(right), NULL, &pool, &y, &error) < 0:
            raise refusal(&error)
        if op == "+":
            status = numeric_add(&x.v.var, &y.v.var, &pool, &x.v.var, &error)
        elif op == "-":
            status = numeric_sub(&x.v.var, &y.v.var, &pool, &x.v.var, &error)
        elif op == "*":
            status = numeric_mul(&x.v.var, &y.v.var, &pool, &x.v.var, &error)
        elif op == "/":
            status = numeric_div(&x.v.var, &y.v.var, &pool, &x.v.var, &error)
        elif op == "%":
            status = numeric_mod(&x.v.var, &y.v.var, &pool, &x.v.var, &error)
        elif op == "div":
            status = numeric_div_trunc(&x.v.var, &y.v.var, &pool, &x.v.var, &error)
        elif op == "neg":
            status = numeric_neg(&x.v.var, &pool, &x.v.var, &error)
        elif op == "abs":
            status = numeric_abs(&x.v.var, &pool, &x.v.var, &error)
        elif op == "ceil":
            status = numeric_ceil(&x.v.var, &pool, &x.v.var, &error)
        elif op == "floor":
            status = numeric_floor(&x.v.var, &pool, &x.v.var, &error)
        elif op == "sqrt":
            status = numeric_sqrt(&x.v.var, &pool, &x.v.var, &error)
        elif op == "round":
            status = numeric_round(&x.v.var, b or 0, &pool, &x.v.var, &error)
        elif op == "^":
            status = numeric_power_int(&x.v.var, b, 0, &pool, &x.v.var, &error)
        elif op == "trunc":
            status = numeric_trunc(&x.v.var, b or 0, &pool, &x.v.var, &error)
        else:
            raise ValueError(op)
        if status < 0:
            raise refusal(&error)
        type_output(&x, NULL, &out)
        return out.data[:out.size].decode()
    finally:
        buffer_free(&out)
        pool_free(&pool)


def numeric_total(values: list[str], average: bool = False) -> str:
    """Sum (or average) of numerics given as text, through the aggregate accumulator."""
    cdef Pool pool
    cdef Buffer out
    cdef Value x
    cdef NumericSum total
    cdef dsql_error_t error
    cdef bytes data
    cdef int status
    memset(&total, 0, sizeof(total))
    pool_init(&pool, 0)
    buffer_init(&out)
    dsql_error_clear(&error)
    try:
        for text in values:
            data = text.encode()
            if type_input(OID_NUMERIC, -1, <const uint8_t*>data, len(data), NULL, &pool, &x, &error) < 0 or \
                    numeric_sum_add(&total, &x.v.var, &pool, &error) < 0:
                raise refusal(&error)
        status = numeric_sum_average(&total, &pool, &x.v.var, &error) if average else \
            numeric_sum_total(&total, &pool, &x.v.var, &error)
        if status < 0:
            raise refusal(&error)
        x.type_oid = OID_NUMERIC
        type_output(&x, NULL, &out)
        return out.data[:out.size].decode()
    finally:
        buffer_free(&out)
        pool_free(&pool)


def measure(what: str, oid: int, a: str, b: str, rounds: int) -> float:
    """Nanoseconds of one input, output, receive, compare or hash of a, or numeric +, *, / and sum of a and b."""
    cdef Pool pool
    cdef Pool scratch
    cdef Buffer out
    cdef Value x
    cdef Value y
    cdef Var result
    cdef NumericSum total
    cdef dsql_error_t error
    cdef timespec start
    cdef timespec end
    cdef bytes left = a.encode()
    cdef bytes right = b.encode()
    cdef const uint8_t* text = left
    cdef size_t size = len(left)
    cdef uint32_t type_oid = oid
    cdef int code = ["input", "output", "compare", "hash", "+", "*", "/", "sum"].index(what)
    cdef int count = rounds
    cdef int i
    cdef int64_t sink = 0
    memset(&total, 0, sizeof(total))
    pool_init(&pool, 0)
    pool_init(&scratch, 0)
    buffer_init(&out)
    dsql_error_clear(&error)
    try:
        if type_input(oid, -1, text, size, NULL, &pool, &x, &error) < 0 or \
                type_input(oid, -1, right, len(right), NULL, &pool, &y, &error) < 0:
            raise refusal(&error)
        with nogil:
            clock_gettime(CLOCK_MONOTONIC, &start)
            for i in range(count):
                if (i & 255) == 0:
                    pool_reset(&scratch)
                    out.size = 0
                if code == 0:
                    type_input(type_oid, -1, text, size, NULL, &scratch, &y, &error)
                elif code == 1:
                    type_output(&x, NULL, &out)
                elif code == 2:
                    sink += type_compare(&x, &y)
                elif code == 3:
                    sink += <int64_t>type_hash(&x)
                elif code == 4:
                    numeric_add(&x.v.var, &y.v.var, &scratch, &result, &error)
                elif code == 5:
                    numeric_mul(&x.v.var, &y.v.var, &scratch, &result, &error)
                elif code == 6:
                    numeric_div(&x.v.var, &y.v.var, &scratch, &result, &error)
                else:
                    numeric_sum_add(&total, &x.v.var, &pool, &error)
            clock_gettime(CLOCK_MONOTONIC, &end)
        return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / rounds
    finally:
        buffer_free(&out)
        pool_free(&pool)
        pool_free(&scratch)
