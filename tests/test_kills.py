"""Writers are killed at any moment; ``python tests/test_kills.py 200`` does it so many times."""

import os
import random
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


WRITERS = {
    "write_atomically": (WRITE_ATOMICALLY, check_bytes, ".bin"),
    "FER2013.save": (SAVE, check_data, ".npz"),
    "checkpoint": (CHECKPOINT, check_checkpoint, ".npz"),
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


@pytest.mark.parametrize("name", ["write_atomically", "FER2013.save"])
def test_a_killed_writer_leaves_the_old_file_or_the_new(tmp_path, name):
    path = tmp_path / f"file{WRITERS[name][2]}"
    for _ in range(2):
        kill(name, path, DELAYS.uniform(0, 0.1))
    for left in tmp_path.glob(".*"):
        os.utime(left, (0, 0))
    write_atomically(path, b"")
    assert list(tmp_path.iterdir()) == [path]


def main():
    """Kill every writer so many times."""
    for name, (_, _, ending) in WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            left = 0
            for _ in range(int(sys.argv[1])):
                kill(name, Path(folder) / f"file{ending}", DELAYS.uniform(0, 0.3))
                left += len(list(Path(folder).glob(".*")))
        sys.stdout.write(f"{name}: {sys.argv[1]} kills, whole each time; {left} leftovers seen\n")


if __name__ == "__main__":
    main()
