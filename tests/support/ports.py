"""Where servers of the tests listen."""

import socket
from typing import Final

_KEPT: Final = list[socket.socket]()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now, and that nobody else is given while this process lives.

    It stays bound here without a listener, so that the system gives it to no other socket; a server that sets SO_REUSEADDR, as all
    do, may listen there all the same (socket(7)), and until then whoever asks is refused.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    _KEPT.append(kept)
    port: int = kept.getsockname()[1]
    return port
