"""What the kernel says about a process and its network."""

import os
from pathlib import Path

LISTENING = "0A"


def status(pid: int) -> dict[str, list[str]]:
    """Fields of `/proc/PID/status`, split into words."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def ports(pid: int) -> set[int]:
    """Ports that something in the network of this process listens on, TCP over IPv4 and IPv6, and every UDP one."""
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == LISTENING or table.startswith("udp"):
                found.add(int(address.rpartition(":")[2], 16))
    return found


def tree_bytes(folder: Path) -> int:
    """Bytes of the files under a folder, each counted once."""
    seen: dict[int, int] = {}
    for top, _, names in os.walk(folder):
        for name in names:
            state = os.lstat(Path(top) / name)
            seen[state.st_ino] = state.st_size
    return sum(seen.values())
