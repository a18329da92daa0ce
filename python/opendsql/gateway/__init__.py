"""The gateway: connections, the PostgreSQL protocol, and the Python thread that plans beside the serving loop.

    from opendsql.gateway import Server, Service, listen

    server = Server(engine, listen_fd=listener.fileno(), worker_id=0, bell=bell, roles=[...], commits=..., replies=[...])
    server.start()                                  # the loop thread: gives up the GIL for good
    GatewayService(server, engine).run()            # this thread plans until stop(); then server.stop()

    service.py   requests of the loop -> planner, catalog handlers, settings      listener.py  the listening socket
"""

from dsql_core.wire import COUNTER_BYTES, Server, WireRequest, read_counters
from opendsql.gateway.listener import listen
from opendsql.gateway.service import GatewayService

__all__ = ["COUNTER_BYTES", "GatewayService", "Server", "WireRequest", "listen", "read_counters"]
