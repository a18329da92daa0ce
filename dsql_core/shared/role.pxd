# A role is a step function over its own state: the loop that hosts it calls step until nothing is left to do.
#
# step handles everything pending and returns the number of events handled (0 = idle, -1 = fatal: stop the process).
# event_fd becomes readable when work arrives that no role of this loop produced (a finished flush); -1 = none.
# Messages from other processes ring the loop's doorbell (channel.pxd), which is not a role's business.
cdef struct Role:
    void* state
    int (*step)(void* state) noexcept nogil
    int event_fd
    const char* name
