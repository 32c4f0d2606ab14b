"""Writers are killed at any moment; ``python tests/test_kills.py 600`` does it so many times."""

import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from fer2013kit._files import write_atomically

WRITE_ATOMICALLY = """
from fer2013kit._files import write_atomically
def write(path, number):
    write_atomically(path, bytes([number]) * 2_000_000)
"""
SAVE = """
import numpy as np, fer2013kit as fk
def write(path, number):
    images = np.full((200, 48, 48, 1), number, np.uint8)
    fk.FER2013(fk.Split(images, np.full(200, number % 7))).save(path)
"""
CHECKPOINT = """
import numpy as np
from fer2013kit.classifier._checkpoint import Checkpoint, write_checkpoint
def write(path, number):
    write_checkpoint(path, Checkpoint(
        fingerprint="f", epoch=number, history={"loss": [1.0]}, best_epoch=None, stopped=False,
        model=[np.full(500_000, number)], optimizer=[], best=[],
    ))
"""
FOLDER = """
from fer2013kit._files import replace_folder
def write(path, number):
    source = path.with_name("source")
    source.mkdir(exist_ok=True)
    for name in "abcdefgh":
        (source / name).write_bytes(bytes([number]) * 100_000)
    replace_folder(path, source)
"""
CACHE = """
import os, shutil
import fer2013kit as fk
def write(path, number):
    os.environ["FER2013KIT_HOME"] = str(path.with_name("home"))
    if not path.exists():
        fk.make_fer2013(n_samples=700, random_state=0).save(path)
    shutil.rmtree(path.with_name("home"), ignore_errors=True)
    fk.load_fer2013(path)
"""
DELAYS = random.Random()  # noqa: S311 - nothing secret

LOOP = """
import itertools, sys
from pathlib import Path
for number in itertools.cycle(range(1, 200)):
    write(Path(sys.argv[1]), number)
    print(number, flush=True)
"""


def check_bytes(path):
    content = path.read_bytes()
    assert len(content) == 2_000_000
    assert len(set(content)) == 1


def check_data(path):
    import fer2013kit as fk

    images = fk.load_fer2013(path, cache=False).train.images
    assert len(images) == 200
    assert (images == images[0, 0, 0, 0]).all()


def check_checkpoint(path):
    from fer2013kit.classifier._checkpoint import read_checkpoint

    state = read_checkpoint(path, "f")
    assert (state.model[0] == state.epoch).all()


def check_folder(path):
    contents = {file.read_bytes() for file in path.iterdir()}
    assert len(list(path.iterdir())) == 8
    assert len(contents) == 1


def check_cache(path):
    import fer2013kit as fk

    home = os.environ.get("FER2013KIT_HOME", "")
    os.environ["FER2013KIT_HOME"] = str(path.with_name("home"))
    try:
        images = fk.load_fer2013(path).train.images
    finally:
        os.environ["FER2013KIT_HOME"] = home
    assert (images == fk.load_fer2013(path, cache=False).train.images).all()


WRITERS = {
    "write_atomically": (WRITE_ATOMICALLY, check_bytes, ".bin"),
    "FER2013.save": (SAVE, check_data, ".npz"),
    "checkpoint": (CHECKPOINT, check_checkpoint, ".npz"),
    "folder": (FOLDER, check_folder, ""),
    "cache": (CACHE, check_cache, ".npz"),
}


def kill(name, path, seconds):
    """Start a writer, kill it so long after its first file, and check what is there."""
    program, check, _ = WRITERS[name]
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program + LOOP, str(path)], stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
    check(path)


@pytest.mark.skipif(sys.platform != "linux", reason="folders change at one moment there alone")
def test_a_killed_writer_leaves_the_old_folder_or_the_new(tmp_path):
    for _ in range(2):
        kill("folder", tmp_path / "saved", DELAYS.uniform(0, 0.1))


@pytest.mark.parametrize("name", ["write_atomically", "FER2013.save"])
def test_a_killed_writer_leaves_the_old_file_or_the_new(tmp_path, name):
    path = tmp_path / f"file{WRITERS[name][2]}"
    for _ in range(2):
        kill(name, path, DELAYS.uniform(0, 0.1))
    for left in tmp_path.glob(".*"):
        os.utime(left, (0, 0))
    write_atomically(path, b"")
    assert list(tmp_path.iterdir()) == [path]


def fork_and_kill(write, path, seconds):
    """Do as :func:`kill` does, without a new Python."""
    begun, told = os.pipe()
    writer = os.fork()
    if not writer:
        for number in itertools.cycle(range(1, 200)):
            write(path, number)
            os.write(told, b"x")
    os.close(told)
    os.read(begun, 1)
    time.sleep(seconds)
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    os.close(begun)


def main():
    """Kill every writer so many times."""
    for name, (program, check, ending) in WRITERS.items():
        names = {}
        exec(program, names)  # noqa: S102 - our own
        with tempfile.TemporaryDirectory() as folder:
            left, path = 0, Path(folder) / f"file{ending}"
            for _ in range(int(sys.argv[1])):
                fork_and_kill(names["write"], path, DELAYS.uniform(0, 0.1))
                check(path)
                left += len(list(Path(folder).glob(".*")))
        print(f"{name}: {sys.argv[1]} kills, whole each time; {left} leftovers seen", flush=True)


if __name__ == "__main__":
    main()
