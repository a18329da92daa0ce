# Python's face of the types, for other Python-visible classes of the core.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.types.io cimport FormatSettings
from dsql_core.types.timezone cimport TimeZoneHandle

cdef class Format:
    cdef FormatSettings settings
    cdef readonly TimeZoneHandle timezone

cdef object refusal(const dsql_error_t* error)          # the TypeFormatError to raise
cdef const FormatSettings* settings_of(Format format) noexcept
