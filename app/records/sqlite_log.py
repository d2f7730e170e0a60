"""What was deleted is gone from SQLite's write-ahead log too, not only from its file.

`secure_delete` overwrites deleted bytes in the file (`app.records.sqlite`). The log holds the pages as they were before, until it is taken
over into the file and begun anew; where nobody writes, that is never.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

WAIT_S: Final = 0.2
"""For whoever reads an older state: writers wait meanwhile."""


class WriteAheadLog:
    """The log of a database.

    Args:
        place: File of SQLite; or `postgresql://...`, whose log is its server's matter.
    """

    def __init__(self, place: Path | str) -> None:
        self._database = place if isinstance(place, Path) else None

    def sweep(self) -> int:
        """Take the log over into the file and empty it; where somebody reads or writes just now, the next sweep does.

        Returns:
            0: nothing was over its time.
        """
        if self._database is not None and _has_bytes(Path(f"{self._database}-wal")):
            with closing(sqlite3.connect(self._database, timeout=WAIT_S)) as connection:
                # Busy is an answer here, no error (https://www.sqlite.org/pragma.html#pragma_wal_checkpoint).
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return 0


def _has_bytes(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False
