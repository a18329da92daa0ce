# cython: wraparound=True
"""What Python sees of the codecs: whole rows and keys, values as text. For catalog code, tools and tests.

I1  A RowCodec owns one RowLayout from construction to deallocation; every call owns its own Pool and Buffer.
"""
import cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from dsql_core.base.error cimport dsql_error_clear, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool, buffer_free, buffer_init, pool_free, pool_init
from dsql_core.base.types cimport Slice, uint8_t, uint32_t
from dsql_core.base.vector cimport Scalar, Value, Vector, phys_size, type_phys
from dsql_core.codec.keycode cimport keycode_append, keycode_part_size, keycode_successor
from dsql_core.codec.row cimport layout_free, layout_init, row_check, row_column, row_encode, row_gather
from dsql_core.types.face cimport Format, refusal, settings_of
from dsql_core.types.io cimport type_input, type_output


cdef int _value(uint32_t oid, object text, Format format, Pool* pool, Value* out) except -1:
    # A value from its text; None is NULL. The text is copied into the pool.
    cdef dsql_error_t error
    cdef bytes data
    memset(out, 0, sizeof(Value))
    if text is None:
        out.type_oid = oid
        out.phys = type_phys(oid)
        out.is_null = 1
        return 0
    data = text.encode("utf-8") if isinstance(text, str) else bytes(text)
    dsql_error_clear(&error)
    if type_input(oid, -1, <const uint8_t*>data, len(data), settings_of(format), pool, out, &error) < 0:
        raise refusal(&error)
    return 0


cdef object _text(const Value* value, Format format):
    cdef Buffer out
    if value.is_null:
        return None
    buffer_init(&out)
    try:
        if type_output(value, settings_of(format), &out) < 0:
            raise MemoryError
        return out.data[:out.size].decode("utf-8", "surrogateescape") if out.size else ""
    finally:
        buffer_free(&out)


@cython.final
cdef class RowCodec:
    """Rows of one list of column types, as the images trees store."""

    def __cinit__(self, type_oids):
        cdef uint32_t count = len(type_oids)
        cdef uint32_t* oids = <uint32_t*>malloc(count * 4 + 1)
        cdef uint32_t i
        if oids == NULL:
            raise MemoryError
        for i in range(count):
            oids[i] = type_oids[i]
        status = layout_init(&self.layout, oids, count)
        free(oids)
        if status < 0:
            raise MemoryError
        self.type_oids = tuple(type_oids)

    def __dealloc__(self):
        layout_free(&self.layout)

    def encode(self, values, format: Format | None = None) -> bytes:
        """The image of a row given as texts (None = NULL), one per column."""
        cdef Pool pool
        cdef Buffer out
        cdef Value* row
        cdef uint32_t count = self.layout.column_count
        cdef uint32_t i
        if len(values) != count:
            raise ValueError(f"expected {count} values, got {len(values)}")
        pool_init(&pool, 0)
        buffer_init(&out)
        row = <Value*>malloc(count * sizeof(Value) + 1)
        try:
            if row == NULL:
                raise MemoryError
            for i in range(count):
                _value(self.layout.type_oids[i], values[i], format, &pool, &row[i])
            if row_encode(&self.layout, row, &out) < 0:
                raise MemoryError
            return out.data[:out.size]
        finally:
            free(row)
            buffer_free(&out)
            pool_free(&pool)

    def decode(self, image, format: Format | None = None) -> list:
        """Texts (None = NULL) of a row image; ValueError when it is malformed."""
        cdef bytes data = bytes(image)
        cdef const uint8_t* row = <const uint8_t*>data
        cdef Value value
        cdef uint32_t i
        if row_check(&self.layout, row, len(data)) < 0:
            raise ValueError("malformed row image")
        result = []
        for i in range(self.layout.column_count):
            row_column(&self.layout, row, i, &value)
            result.append(_text(&value, format))
        return result

    def gather(self, images, column: int) -> list:
        """Texts of one column of many row images, through the columnar path."""
        cdef uint32_t count = len(images)
        cdef uint32_t i
        cdef Vector vector
        cdef Slice* rows = <Slice*>malloc(count * sizeof(Slice) + 1)
        cdef uint8_t* nulls = <uint8_t*>malloc(count + 1)
        cdef uint8_t* values = <uint8_t*>malloc(count * 16 + 1)
        kept = [bytes(image) for image in images]
        try:
            if rows == NULL or nulls == NULL or values == NULL:
                raise MemoryError
            memset(nulls, 0, count + 1)
            for i in range(count):
                rows[i].data = <const uint8_t*><bytes>kept[i]
                rows[i].size = len(kept[i])
                if row_check(&self.layout, rows[i].data, rows[i].size) < 0:
                    raise ValueError("malformed row image")
            vector.data = values
            vector.nulls = nulls
            row_gather(&self.layout, rows, count, column, &vector)
            return [_element(&vector, i, format=None) for i in range(count)]
        finally:
            free(rows)
            free(nulls)
            free(values)

    def measure_gather(self, images, column: int, rounds: int) -> float:
        """Nanoseconds per value of the columnar path: `rounds` passes over the images."""
        cdef uint32_t count = len(images)
        cdef uint32_t i
        cdef int _round
        cdef int round_count = rounds
        cdef uint32_t c = column
        cdef Vector vector
        cdef timespec start
        cdef timespec end
        cdef Slice* rows = <Slice*>malloc(count * sizeof(Slice) + 1)
        cdef uint8_t* nulls = <uint8_t*>malloc(count + 1)
        cdef uint8_t* values = <uint8_t*>malloc(count * 16 + 1)
        kept = [bytes(image) for image in images]
        for i in range(count):
            rows[i].data = <const uint8_t*><bytes>kept[i]
            rows[i].size = len(kept[i])
        vector.data = values
        with nogil:
            clock_gettime(CLOCK_MONOTONIC, &start)
            for _round in range(round_count):
                vector.nulls = nulls
                row_gather(&self.layout, rows, count, c, &vector)
            clock_gettime(CLOCK_MONOTONIC, &end)
        free(rows)
        free(nulls)
        free(values)
        return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / (rounds * max(count, 1))


cdef object _element(const Vector* vector, uint32_t i, Format format):
    cdef Value value
    cdef const uint8_t* data = <const uint8_t*>vector.data
    cdef uint32_t width
    value.type_oid = vector.type_oid
    value.phys = vector.phys
    value.is_null = vector.nulls != NULL and vector.nulls[i]
    width = phys_size(vector.phys)
    memset(&value.v, 0, sizeof(Scalar))
    memcpy(&value.v, data + i * <size_t>width, width)
    return _text(&value, format)


def key_encode(parts, format: Format | None = None) -> bytes:
    """Key of [(type oid, text or None, nulls_first)...], ordered by memcmp as the values are."""
    cdef Pool pool
    cdef Buffer out
    cdef Value value
    pool_init(&pool, 0)
    buffer_init(&out)
    try:
        for oid, text, nulls_first in parts:
            _value(oid, text, format, &pool, &value)
            if keycode_append(&out, &value, nulls_first) < 0:
                raise TypeError(f"type with OID {oid} cannot be a key")
        return out.data[:out.size] if out.size else b""
    finally:
        buffer_free(&out)
        pool_free(&pool)


def key_part_sizes(key: bytes, type_oids) -> list[int]:
    """Sizes of a key's leading parts of these types; ValueError when the key does not parse."""
    cdef bytes data = bytes(key)
    cdef const uint8_t* at = <const uint8_t*>data
    cdef size_t left = len(data)
    cdef size_t size
    sizes = []
    for oid in type_oids:
        size = keycode_part_size(at, left, oid)
        if size == 0:
            raise ValueError("malformed key")
        sizes.append(size)
        at += size
        left -= size
    return sizes


def key_successor(prefix: bytes) -> bytes | None:
    """Smallest key greater than every key that starts with prefix; None when there is no such key."""
    cdef bytearray copy = bytearray(prefix)
    cdef size_t size = keycode_successor(<uint8_t*>copy, len(copy))
    return bytes(copy[:size]) if size else None


def measure_key(oid: int, text: str, rounds: int) -> float:
    """Nanoseconds to append one key part."""
    cdef Pool pool
    cdef Buffer out
    cdef Value value
    cdef timespec start
    cdef timespec end
    cdef int _i
    cdef int count = rounds
    pool_init(&pool, 0)
    buffer_init(&out)
    try:
        _value(oid, text, None, &pool, &value)
        with nogil:
            clock_gettime(CLOCK_MONOTONIC, &start)
            for _i in range(count):
                out.size = 0
                keycode_append(&out, &value, 0)
            clock_gettime(CLOCK_MONOTONIC, &end)
        return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / rounds
    finally:
        buffer_free(&out)
        pool_free(&pool)
