"""Packages loaded, switched to and unloaded again and again while requests come in."""

import secrets
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from app.settings import Settings
from benchmarks.load import Body, Load, attack
from benchmarks.service import MODEL, serving

VERSIONS: Final = (1, 2)
ALIAS: Final = "production"
LOAD: Final = Load(clients=4, requests=40)
PATIENCE_S: Final = 120.0


@dataclass
class Swapped:
    """What came of it.

    Attributes:
        swaps: Switches to the other version, each with a load before and an unload after.
        answered: Requests with 200.
        failed: All others.
    """

    swaps: int = 0
    answered: int = 0
    failed: int = 0


def swap_under_load(scratch: Path, body: Body, swaps: int) -> Swapped:
    """Switch a name between two versions under load.

    Args:
        scratch: For the store and what is kept.
        body: Of each request.
        swaps: How often.

    Raises:
        httpx.HTTPStatusError: The service refused a change.
    """
    store = scratch / "swap-store"
    for version in VERSIONS:
        below = Path(MODEL, str(version))
        shutil.copytree(Settings().model_store / below, store / below)
    told, over = Swapped(), threading.Event()
    token = secrets.token_urlsafe(32)
    with serving(store, scratch / "swapped", admin_token=token) as service:

        def send() -> None:
            while not over.is_set():
                answers = attack(f"{service.url}/predict", body, LOAD)
                told.answered += len(answers.good)
                told.failed += answers.failed

        sender = threading.Thread(target=send, daemon=True)
        headers = {"Authorization": f"Bearer {token}"}
        admin = f"{service.url}/admin/models/{MODEL}"
        with httpx.Client(headers=headers, timeout=PATIENCE_S) as operator:
            operator.put(f"{admin}/aliases/{ALIAS}", json={"version": VERSIONS[-1]}).raise_for_status()
            sender.start()
            for number in range(swaps):
                new, old = VERSIONS[:: 1 if number % 2 == 0 else -1]
                operator.put(f"{admin}/aliases/{ALIAS}", json={"version": new}).raise_for_status()
                operator.post(f"{admin}/{old}/unload").raise_for_status()
                told.swaps += 1
            over.set()
            sender.join()
    return told
