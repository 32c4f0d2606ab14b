"""The long run: ``python tests/fuzz/run.py --inputs 200000 --reader npz``.

Each reader runs in a process of its own, its files in memory where the system has such a folder.
An input that crashes it, takes long or raises what is not in the family of errors is kept, under
its number, in ``--keep``.
"""

import argparse
import collections
import faulthandler
import gc
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
LONG = 1.0  # seconds of this process for a few kilobytes
STUCK = 600
MEMORY = Path("/dev/shm")  # noqa: S108 - the folders in it are this program's own


def run_reader(name, inputs, seconds, first, keep):
    """Read inputs until there are enough or the time is over, and print what was found."""
    from readers import READERS, attempt

    found = collections.Counter()
    slowest = 0.0
    begun = armed = time.monotonic()
    faulthandler.dump_traceback_later(STUCK, exit=True)
    number = first
    with (
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
        Path(keep, f"{name} now").open("wb") as now,
    ):
        for number in range(first, first + inputs):
            if (moment := time.monotonic()) - begun > seconds:
                break
            if moment - armed > 1:  # a timer is a thread, and takes longer than some readers
                faulthandler.dump_traceback_later(STUCK, exit=True)
                armed = moment
            if number == first + 10:  # all is imported, of which nothing is garbage
                gc.collect()
                gc.freeze()
            os.pwrite(now.fileno(), b"%12d" % number, 0)
            before = time.process_time()
            try:
                attempt(name, number, Path(folder))
            except BaseException as error:  # noqa: BLE001 - that is what is looked for
                place = traceback.extract_tb(error.__traceback__)[-1]
                sign = f"{type(error).__name__} {Path(place.filename).name}:{place.lineno}"
                found[sign] += 1
                if found[sign] == 1:
                    ending = READERS[name].ending
                    content = Path(folder, f"input{ending}").read_bytes()
                    Path(keep, f"{name} {number}{ending}").write_bytes(content)
                    print(f"  {name} {number}: {sign}: {str(error)[:300]}", flush=True)
            took = time.process_time() - before
            slowest = max(slowest, took if number > first else 0.0)
            if took > LONG and number > first:  # the first one imports what it needs
                found["long"] += 1
                print(f"  {name} {number}: {took:.1f} s", flush=True)
    faulthandler.cancel_dump_traceback_later()
    took = time.monotonic() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {number - first + 1:,} inputs, {(number - first + 1) / took:,.0f} a second, "
        f"{sum(found.values())} faults, slowest {slowest:.2f} s, {memory:,.0f} MiB at most",
        flush=True,
    )
    return not found


def main():
    """Run the readers that were asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", action="append", help="of all, by default")
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3600, help="at most, for each reader")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--keep", default=tempfile.gettempdir() + "/fer2013kit-fuzz")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    Path(given.keep).mkdir(parents=True, exist_ok=True)
    if given.here:
        (name,) = given.reader
        sys.exit(not run_reader(name, given.inputs, given.seconds, given.first, given.keep))
    from readers import READERS

    failed = False
    for name in given.reader or READERS:
        arguments = [*sys.argv[1:], "--here", "--reader", name]
        if given.reader:
            arguments = [one for one in sys.argv[1:] if one not in {"--reader", *given.reader}]
            arguments += ["--here", "--reader", name]
        code = subprocess.run([sys.executable, __file__, *arguments], check=False).returncode  # noqa: S603 - this very program
        failed |= code != 0
        if code not in {0, 1}:
            number = Path(given.keep, f"{name} now").read_text(encoding="utf-8").strip()
            print(f"  {name} {number}: the process ended with {code}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
