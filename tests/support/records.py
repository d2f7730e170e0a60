"""A database of SQLite with all its tables, as a first start leaves it: making them takes longer than most tests that use them."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from app.records.sqlite import OWNER_ONLY
from app.records.store import RecordStore


def tables_at(path: Path) -> Path:
    """Put the file of a database without rows there; give the path back."""
    path.touch(OWNER_ONLY)
    path.write_bytes(_tables())
    return path


@cache
def _tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records.sqlite3"
        RecordStore(path).close()
        assert [*path.parent.iterdir()] == [path], "its log is in it"
        return path.read_bytes()
