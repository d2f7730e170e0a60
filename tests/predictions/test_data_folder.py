"""The data folder is private, and a killed process leaves no patient's image in it."""

from pathlib import Path

from app.predictions.data_folder import DataFolder


def test_folders_are_made_for_their_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "var")
    folder.prepare()
    for made in (folder.cases, folder.uploads):
        assert made.stat().st_mode & 0o777 == 0o700


def test_uploads_of_a_killed_process_are_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.prepare()
    (folder.uploads / "request").mkdir()
    (folder.uploads / "request" / "000000").write_bytes(b"image")
    (folder.root / "heatmaps").mkdir()
    (folder.root / "heatmaps" / "kept.png").write_bytes(b"picture")
    folder.prepare()
    assert list(folder.uploads.iterdir()) == []
    assert (folder.root / "heatmaps" / "kept.png").exists()
