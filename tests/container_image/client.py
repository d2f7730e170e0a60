"""A client inside the container's network: waits until the service is ready, sends a case, prints what came back as JSON.

The key comes on standard input, so that no list of processes shows it.
"""

import json
import sys
import time
from pathlib import Path

import httpx

SERVICE = "http://127.0.0.1:8000"
READY_WITHIN_S = 120


def main() -> int:
    """Send one head CT, with the key and without."""
    key = sys.stdin.readline().strip()
    with httpx.Client(base_url=SERVICE, timeout=60) as client:
        _wait(client)
        ready = time.time()
        case = {"data": {"task": "gos", "ehr": '{"age": 71, "gcs": 9}'}, "files": _image(Path(sys.argv[1]))}
        stranger = client.post("/predict", **case)  # type: ignore[arg-type]
        answer = client.post("/predict", headers={"Authorization": f"Bearer {key}"}, **case)  # type: ignore[arg-type]
    found = {
        "ready": ready,
        "stranger": stranger.status_code,
        "status": answer.status_code,
        "answer": answer.json(),
    }
    sys.stdout.write(json.dumps(found))
    return 0


def _image(path: Path) -> dict[str, tuple[str, bytes]]:
    return {"image": (path.name, path.read_bytes())}


def _wait(client: httpx.Client) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError("The service was not ready in time.")


if __name__ == "__main__":
    sys.exit(main())
