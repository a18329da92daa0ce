# Text and binary formats of every type, comparison and hash: PostgreSQL 16's, without the GIL.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Value

from dsql_core.types.timezone cimport TimeZone     # NULL means UTC

cdef struct FormatSettings:
    const TimeZone* timezone        # NULL = UTC
    uint8_t date_style              # 0 ISO, 1 SQL, 2 Postgres, 3 German
    uint8_t date_order              # 0 MDY, 1 DMY, 2 YMD
    uint8_t interval_style          # 0 postgres, 1 postgres_verbose, 2 sql_standard, 3 iso_8601
    uint8_t bytea_escape            # 0 hex
    int32_t extra_float_digits      # default 1: shortest exact
    int64_t now_us                  # transaction start, us since 2000-01-01 UTC, for 'now', 'today'

# 0 ok, -1 error set. Results live in pool. typmod -1 = none; text longer than varchar(n) is an error 22001 unless
# only blanks are cut; numeric is rounded to its scale.
cdef int type_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, const FormatSettings* format,
                    Pool* pool, Value* out, dsql_error_t* error) noexcept nogil
# value.type_oid says which
cdef int type_output(const Value* value, const FormatSettings* format, Buffer* out) noexcept nogil
cdef int type_receive(uint32_t oid, int32_t typmod, const uint8_t* data, size_t size, Pool* pool, Value* out,
                      dsql_error_t* error) noexcept nogil
# payload only, no length word
cdef int type_send(const Value* value, Buffer* out) noexcept nogil
# Order of PostgreSQL's default btree class (C collation; NaN greatest); both values of one type, not NULL.
cdef int type_compare(const Value* a, const Value* b) noexcept nogil                                   # -1, 0, 1
cdef uint64_t type_hash(const Value* value) noexcept nogil              # equal values (1.0 = 1.00, -0 = 0) hash equal
# Length coercion to a typmod: cast (explicit) cuts silently, assignment raises 22001. numeric(p,s): rounds, 22003.
cdef int type_apply_typmod(int32_t typmod, int is_explicit, Value* value, Pool* pool,
                           dsql_error_t* error) noexcept nogil
