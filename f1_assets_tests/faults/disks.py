"""A small disk of its own, to be filled or made read-only, and a way to strike in the middle of an import."""

import contextlib
import subprocess

import pytest

from f1_assets.warehouse import Warehouse


class Disk:
    """A file system of two megabytes in memory."""

    def __init__(self, folder):
        self.folder, self._filler = folder, folder / "filler"

    def fill(self):
        """Leave not a byte free."""
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)

    def free(self):
        self._filler.unlink()

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.folder], check=True, capture_output=True)

    def turn_read_only(self, engine):
        """Become read-only under a database that is in use: none does while a file is open to be written."""
        engine.dispose()
        self.remount("ro")


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


def strike_in_the_middle(monkeypatch, strike):
    """Strike once, when some datasets are stored and the laps are to be."""
    store, struck = Warehouse.replace, []

    def replace(self, key, dataset, *rest, **more):
        if dataset.name == "laps" and not struck:
            struck.append(dataset.name)
            strike()
        return store(self, key, dataset, *rest, **more)

    monkeypatch.setattr(Warehouse, "replace", replace)
