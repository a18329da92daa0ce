# Text of date, time, timetz, timestamp and timestamptz in the four date styles.
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int32_t, int64_t
from dsql_core.types.timezone cimport TimeZone

cdef enum:
    STYLE_ISO = 0
    STYLE_SQL = 1
    STYLE_POSTGRES = 2
    STYLE_GERMAN = 3
    ORDER_MDY = 0
    ORDER_DMY = 1
    ORDER_YMD = 2

cdef void date_output(int32_t date, int style, int order, Buffer* out) noexcept nogil
cdef void time_output(int64_t us, Buffer* out) noexcept nogil
cdef void timetz_output(int64_t us, int32_t west, Buffer* out) noexcept nogil
cdef void timestamp_output(int64_t timestamp, int style, int order, Buffer* out) noexcept nogil
cdef void timestamptz_output(int64_t timestamp, const TimeZone* zone, int style, int order, Buffer* out) noexcept nogil
# ISO forms with a "T" between date and time, as JSON functions write them.
cdef void timestamp_output_t(int64_t timestamp, Buffer* out) noexcept nogil
cdef void timestamptz_output_t(int64_t timestamp, const TimeZone* zone, Buffer* out) noexcept nogil
