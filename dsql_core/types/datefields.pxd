# The full grammar of date and time input: text into fields, as PostgreSQL reads them.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.types cimport int32_t, uint8_t
from dsql_core.types.calendar cimport DateTime
from dsql_core.types.dateparse cimport DateContext

cdef enum:
    FIELDS_DATE = 0        # `at` holds it
    FIELDS_LATE = 1        # infinity
    FIELDS_EARLY = 2       # -infinity
    FIELDS_EPOCH = 3

cdef struct DateFields:
    DateTime at
    int kind               # FIELDS_*
    int has_offset         # offset came with the text (or with 'now'); otherwise the session's zone applies
    int32_t offset         # seconds east

# 0, -1 error set (22007, 22008, 22009, 22023).
cdef int parse_datetime(const uint8_t* text, size_t size, const DateContext* context, const char* type_name,
                        DateFields* out, dsql_error_t* error) noexcept nogil
# A time of day, perhaps with a zone (always resolved into offset) and, where PostgreSQL allows it, a date.
cdef int parse_time(const uint8_t* text, size_t size, const DateContext* context, const char* type_name,
                    DateFields* out, dsql_error_t* error) noexcept nogil
