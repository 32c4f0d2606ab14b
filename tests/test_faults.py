"""Faults that only root can arrange: a disk that is full, and the home of another user."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk
from fer2013kit._files import replace_folder
from fer2013kit.classifier._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from fer2013kit.classifier._model_file import read_model_file, write_model_file

NOBODY = 54_321  # a user that is in no list
LOAD_AS_NOBODY = f"""
import json, os, shutil, sys
import fer2013kit as fk
source, *homes = sys.argv[1:]
fk.load_fer2013(source, cache=False)  # what is imported late may not be theirs to read
os.setgid({NOBODY})
os.setuid({NOBODY})
for name in ("HOME", "FER2013KIT_HOME", "XDG_CACHE_HOME"):
    os.environ.pop(name, None)
for home in homes:
    name, _, value = home.partition("=")
    if name:
        os.environ[name] = value
    print(len(fk.load_fer2013(source).train))
    os.environ.pop(name, None)
"""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root under Linux may do that"
)


@pytest.fixture
def disk(tmp_path):
    """Yield a folder on a disk of its own of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 - fixed words
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607 - fixed words


def fill(folder):
    """Write until nothing more fits."""
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert shutil.disk_usage(folder).free == 0


def noise(number, count):
    return np.random.default_rng(number).integers(0, 256, (count, 48, 48, 1), np.uint8)


def save(path, number):
    fk.FER2013(fk.Split(noise(number, 100), np.zeros(100, np.int64))).save(path)


def check_saved(path, number):
    assert (fk.load_fer2013(path, cache=False).train.images == noise(number, 100)).all()


def save_checkpoint(path, number):
    state = {"history": {"loss": [1.0]}, "best_epoch": None, "stopped": False, "best": []}
    model = [noise(number, 100)]
    write_checkpoint(path, Checkpoint(fingerprint="f", epoch=1, model=model, optimizer=[], **state))


def check_checkpoint(path, number):
    assert (read_checkpoint(path, "f").model[0] == noise(number, 100)).all()


def save_model(path, number):
    write_model_file(path, {"number": number}, [noise(number, 100)])


def check_model(path, number):
    facts, weights = read_model_file(path)
    assert facts["number"] == number
    assert (weights[0] == noise(number, 100)).all()


def save_folder(path, number):
    with tempfile.TemporaryDirectory() as name:
        Path(name, "a").write_bytes(noise(number, 100).tobytes())
        replace_folder(path, Path(name))


def check_folder(path, number):
    assert (path / "a").read_bytes() == noise(number, 100).tobytes()


WRITERS = {
    "data.npz": (save, check_saved),
    "run.npz": (save_checkpoint, check_checkpoint),
    "network.fer": (save_model, check_model),
    "saved_model": (save_folder, check_folder),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_no_other(disk, name):
    write, check = WRITERS[name]
    write(disk / name, 1)
    fill(disk)
    with pytest.raises((OSError, shutil.Error, fk.Fer2013KitError), match="No space left"):
        write(disk / name, 2)
    check(disk / name, 1)
    assert {path.name for path in disk.iterdir()} == {"filler", name}
    (disk / "filler").unlink()
    write(disk / name, 2)
    check(disk / name, 2)


def test_a_full_disk_keeps_no_data_from_loading(disk, tmp_path, monkeypatch, caplog):
    save(tmp_path / "data.npz", 1)
    fill(disk)
    monkeypatch.setenv("FER2013KIT_HOME", str(disk))
    assert (fk.load_fer2013(tmp_path / "data.npz").train.images == noise(1, 100)).all()
    assert "cannot be written" in caplog.text
    (disk / "filler").unlink()
    for _ in range(2):
        assert (fk.load_fer2013(tmp_path / "data.npz").train.images == noise(1, 100)).all()


def test_a_scoring_goes_on_when_the_disk_has_room(disk, tmp_path):
    for number, image in enumerate(noise(0, 4)):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(image[..., 0]).save(tmp_path / "photos" / f"{number}.png")
    (disk / "scores").mkdir()
    fill(disk)
    options = {"crops": True, "tta": None, "part_size": 2}
    with pytest.raises(OSError, match="No space left"):
        fk.score(tmp_path / "photos", disk / "scores", **options)
    (disk / "filler").unlink()
    assert fk.score(tmp_path / "photos", disk / "scores", **options).n_faces == 4


SCORE_AS_NOBODY = f"""
import os, sys, warnings
import fer2013kit as fk
fk.score(sys.argv[1] + "/photos", sys.argv[1] + "/first", crops=True, tta=None)  # imports all
os.chmod(sys.argv[1] + "/photos/closed", 0)
os.setgid({NOBODY})
os.setuid({NOBODY})
with warnings.catch_warnings(record=True) as told:
    report = fk.score(sys.argv[1] + "/photos", sys.argv[1] + "/open/scores", crops=True, tta=None)
print(report.n_images, report.n_passed_over, *(one.message for one in told))
try:
    fk.score(sys.argv[1] + "/photos/closed", sys.argv[1] + "/open/others")
except fk.MediaFileError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_read_is_told_by_a_scoring():
    with tempfile.TemporaryDirectory() as name:  # pytest's folders are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        for number, place in enumerate(("photos", "photos/closed")):
            (folder / place).mkdir()
            Image.fromarray(noise(number, 1)[0, ..., 0]).save(folder / place / "a.png")
        (folder / "open").mkdir(mode=0o777)
        (folder / "open").chmod(0o777)
        command = [sys.executable, "-W", "always", "-c", SCORE_AS_NOBODY, name]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    told, refused = done.stdout.splitlines()
    assert told.startswith("1 1 ")
    assert told.endswith(f"folders that may not be read were skipped: {folder}/photos/closed")
    assert f"closed to you: {folder}/photos/closed" in refused


def test_the_home_of_another_user_keeps_no_data_from_loading():
    """As under ``sudo -u``, ``su`` without a dash, and ``docker run --user``."""
    with tempfile.TemporaryDirectory() as name:  # pytest's folders are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        save(folder / "data.npz", 1)
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        homes = [
            *("", f"HOME={closed}", f"XDG_CACHE_HOME={closed}", f"FER2013KIT_HOME={closed}/x"),
            *(f"HOME={folder}", "FER2013KIT_HOME=~", f"FER2013KIT_HOME={folder}/{'long/' * 2000}"),
            *(f"FER2013KIT_HOME={folder}/{'x' * 300}", "FER2013KIT_HOME=/dev/null"),
        ]
        command = [sys.executable, "-c", LOAD_AS_NOBODY, str(folder / "data.npz"), *homes]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
    assert json.loads(f"[{','.join(done.stdout.split())}]") == [100] * len(homes)
    assert done.stderr.count("cannot be written") == len(homes), done.stderr
