"""The wire: PostgreSQL protocol, fingerprints, plan cache and the serving loop. Private to the gateway.

normalise   statements of a query string, shapes, lifted literals      plan_cache   shape -> plan
protocol    messages out, rows from vectors                            connection   sessions' memory, errands
startup     first packets, cancel                  tls         sessions of libssl in the place of recv and send
simple, extended, copy_format   the two query protocols, COPY
statement   plan -> rows -> tag -> commit          loop        epoll, run queue, roles
server      Python's face of it
"""

from dsql_core.wire.protocol import set_hints
from dsql_core.wire.server import COUNTER_BYTES, COUNTER_NAMES, Server, WireRequest, read_counters
from dsql_core.wire.tls import TlsContext, TlsError

__all__ = ["COUNTER_BYTES", "COUNTER_NAMES", "Server", "TlsContext", "TlsError", "WireRequest", "read_counters", "set_hints"]
