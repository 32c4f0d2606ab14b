"""The gate: ``python -m nox`` runs every check of the project in the environment it stands in.

One check alone: ``python -m nox -s tests``; their list: ``python -m nox -l``.
"""

import itertools
import os
import shutil
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "none"  # what is installed beside nox is what is checked
# No session needs another's results, and most leave cores idle: they wait for installers, or have
# one process.  The tests take longest and stand first, so that they end beside the others.
# Each one's output is shown when it ends.
nox.options.allow_parallel = True
nox.options.parallel = 2

ROOT = Path(__file__).parent
WHERE = """
import pathlib, sys, fer2013kit
assert pathlib.Path(fer2013kit.__file__).is_relative_to(sys.prefix), fer2013kit.__file__
"""

DEMO = """
from fer2013kit.cli import _demo, main
_demo.N_SAMPLES, _demo.EPOCHS = 70, 1
main(["demo"])
"""

LIGHT = """
import importlib.util
import fer2013kit as fk
from PIL import Image
for name in ("keras", "matplotlib", "pandas", "sklearn", "tensorflow"):
    assert importlib.util.find_spec(name) is None, name
X, y = fk.make_fer2013(n_samples=70, random_state=0).train
assert fk.EmotionPredictor.from_pretrained().predict_proba(X).shape == (len(X), 7)
try:
    fk.EmotionClassifier
except fk.MissingDependencyError as error:
    assert "pip install fer2013kit" in str(error)
else:
    raise AssertionError("there is a classifier without scikit-learn")
Image.fromarray(X[0, ..., 0]).save("face.png")
"""

ENVIRONMENT = {
    "MPLBACKEND": "agg",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # Libraries come uncompiled: the first process that imports a module compiles it for all.
    "PYTHONDONTWRITEBYTECODE": "",
    # The tests' networks are too small for threads, which would keep the other workers waiting.
    **dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"), "1"),
}
# A worker for each core; whichever has nothing left takes tests from another.
WORKERS = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
# Percent of the package's lines and branches; raised with what is reached, never lowered.
COVERED = 96
# What the session of the matrix takes turns with; what users may install.
PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"lowest": "lowest-direct", "highest": "highest"}
USERS_EXTRAS = "export,fetch,heif,parquet,score,serve,tune,video"
# What the session of the docs writes into their folder.
GENERATED = ("_build", "api/generated", "gallery", "generated")


def run(session: nox.Session, module: str, *arguments: str) -> None:
    """Run ``python -m module`` with the Python that runs nox."""
    session.run(sys.executable, "-m", module, *arguments, env=ENVIRONMENT)


@nox.session
def tests(session: nox.Session) -> None:
    """Unit tests, warnings as errors; of all of them, how much of the package they reach."""
    if session.posargs:
        run(session, "pytest", *session.posargs)
        return
    # SlipCover, since a tracer makes Python 3.11 slower by half, and so the tests.
    with tempfile.TemporaryDirectory() as name:
        reached, merged = Path(name) / "reached.json", Path(name) / "merged.json"
        measure = ("--dont-wrap-pytest", "--json", "--out", str(reached))
        run(session, "slipcover", *measure, "-m", "pytest", *WORKERS)
        check = ("--fail-under", str(COVERED), "--skip-covered", "--out", str(merged))
        run(session, "slipcover", *check, "--merge", str(reached))


@nox.session
def lint(session: nox.Session) -> None:
    """Rules of ruff, its format, and the declared dependencies."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    run(session, "deptry", "src")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the package, strictly; users' code is checked against the wheel."""
    run(session, "mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Which module may import which."""
    session.run(str(Path(sys.executable).with_name("lint-imports")))


@nox.session
def doctests(session: nox.Session) -> None:
    """Every example of the docstrings and the pages."""
    settings = ("--doctest-modules", "--doctest-glob=*.rst", "--ignore-glob=docs/*.py")
    written = (f"--ignore=docs/{name}" for name in GENERATED)  # beside this, by another session
    # In one process: every further one would import TensorFlow again, and the tests have the cores.
    run(session, "pytest", *settings, *written, "src", "docs")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site and its gallery; a warning or an unknown reference fails."""
    for generated in GENERATED:
        shutil.rmtree(ROOT / "docs" / generated, ignore_errors=True)
    strict = ("-W", "--keep-going", "-n")
    run(session, "sphinx", "-q", *strict, "docs", "docs/_build/html")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, look into it, and use it as a stranger would, from an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(session, "build", "--no-isolation", "--outdir", str(folder / "dist"))
        (archive,) = (folder / "dist").glob("*.whl")
        _check_contents(session, archive)
        _check_reproducible(session, folder)

        python = _stranger_environment(folder / "environment")
        _install(session, python, "--no-deps", archive)
        (folder / "work").mkdir()
        _check_users_code(session, folder / "work", python)
        with session.chdir(folder / "work"):
            session.run(str(python), "-c", WHERE + DEMO)
            session.run(str(python.with_name("fer2013kit")), "--help")
        _check_light(session, folder)


@nox.session
def browser(session: nox.Session) -> None:
    """Run the example for the browser in Chromium, with LiteRT.js from npm."""
    npm = shutil.which("npm")
    if npm is None:
        session.skip("there is no npm")
    session.run(npm, "ci", "--prefix", "examples/browser", "--no-audit", "--no-fund", external=True)
    run(session, "pytest", "tests/test_browser_example.py")


@nox.session(default=False)
def torch(session: nox.Session) -> None:
    """Try a dozen networks through the main doors on torch and JAX; not part of the gate.

    What is to be installed may be named, a build for CPUs for instance:
    ``python -m nox -s torch -- torch==2.13.0+cpu``.
    """
    with tempfile.TemporaryDirectory() as name:
        python = _stranger_environment(Path(name) / "environment")
        _install(session, python, *(session.posargs or ("torch",)))
        here = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "src"), "FER2013KIT_EVERY_NETWORK": "1"}
        session.run(str(python), "-m", "pytest", "tests/test_backends.py", env=here)


@nox.session(default=False)
def cluster(session: nox.Session) -> None:
    """Train on two hosts and score on a Ray cluster of three nodes; not part of the gate.

    All are processes of this machine, the hosts in network namespaces where it lets us make them.
    """
    with tempfile.TemporaryDirectory() as name:
        python = _stranger_environment(Path(name) / "environment")
        _install(session, python, "ray[data,train]")
        # Ray gives its nodes 15 seconds to start and its workers a low priority: on a busy machine
        # neither is enough.
        patience = {"RAY_agent_register_timeout_ms": "300000", "RAY_worker_niceness": "0"}
        quiet = {"RAY_USAGE_STATS_ENABLED": "0"}
        here = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "src"), **patience, **quiet}
        tests = session.posargs or ("tests/test_cluster.py",)
        session.run(str(python), "-m", "pytest", *tests, env=here)


@nox.session(default=False)
def others(session: nox.Session) -> None:
    """Run the guide's code for trackers and engines with these libraries; not part of the gate.

    Spark needs Java, and is skipped without.
    """
    with tempfile.TemporaryDirectory() as name:
        python = _stranger_environment(Path(name) / "environment")
        _install(session, python, "codecarbon", "mlflow", "wandb", "pyspark", "ray[data]")
        # Ray gives its nodes 15 seconds to start.
        patience = {"RAY_agent_register_timeout_ms": "300000", "RAY_USAGE_STATS_ENABLED": "0"}
        here = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "src"), **patience}
        tests = ("tests/test_tracking.py", "tests/test_engines.py")
        session.run(str(python), "-m", "pytest", *tests, env=here)


@nox.session(default=False)
def matrix(session: nox.Session) -> None:
    """Run the tests with the lowest and the highest versions of all libraries; not in the gate.

    On Python 3.11, 3.12 and 3.13, each in an environment of its own that uv makes; or on what is
    named, with arguments for pytest: ``python -m nox -s matrix -- 3.13 highest tests/datasets``.
    """
    asked = list(session.posargs)
    pythons = [one for one in PYTHONS if one in asked] or PYTHONS
    resolutions = [one for one in RESOLUTIONS if one in asked] or RESOLUTIONS
    rest = [one for one in asked if one not in {*PYTHONS, *RESOLUTIONS}]
    here = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "src")}
    with tempfile.TemporaryDirectory() as folder:
        for version, name in itertools.product(pythons, resolutions):
            environment = Path(folder, "environment")
            python = _python_in(environment)
            run(session, "uv", "venv", "--clear", "--quiet", "--python", version, str(environment))
            # matplotlib of that time makes later releases warn.
            more = ("pyparsing>=3.2,<3.3",) if name == "lowest" else ()
            # Of the lowest, those with a wheel for this Python: users do not compile NumPy.
            wheels = ("--resolution", RESOLUTIONS[name], "--only-binary", ":all:")
            extras = [f"--extra={one}" for one in (*USERS_EXTRAS.split(","), "test")]
            _install(session, python, *wheels, "-r", ROOT / "pyproject.toml", *extras, *more)
            _install(session, python, "--no-deps", ROOT)
            session.run(str(python), "-m", "pytest", *WORKERS, *rest, env=here)


@nox.session(default=False)
def sbom(session: nox.Session) -> None:
    """List what an installation brings, with versions and licences, in dist/sbom.json (CycloneDX).

    For a release: the wheel goes into an empty environment, with its extras.
    """
    with tempfile.TemporaryDirectory() as folder:
        python = _new_environment(Path(folder, "kit"))
        _install(session, python, f"{ROOT}[{USERS_EXTRAS}]")
        tool = _new_environment(Path(folder, "tool"))
        _install(session, tool, "cyclonedx-bom>=7.5")
        (ROOT / "dist").mkdir(exist_ok=True)
        about = ("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible")
        written = ("--output-file", str(ROOT / "dist" / "sbom.json"))
        command = ("environment", str(python), *about, *written)
        session.run(str(tool.with_name("cyclonedx-py")), *command)


def _check_users_code(session: nox.Session, folder: Path, python: Path) -> None:
    """Check the types of users' programs against the package that a Python has installed.

    They are ``tests/typing``, and the code of README, pages and gallery.
    """
    shutil.copytree(ROOT / "tests" / "typing", folder / "programs")
    session.run(sys.executable, str(ROOT / "tests" / "snippets.py"), str(folder / "pages"))
    cache = str(ROOT / ".mypy_cache" / "users")
    with session.chdir(folder):
        # Keras, scikit-learn and pandas carry no types; a user's program is told to do without.
        strict = ("--strict", "--ignore-missing-imports", "--config-file=", "--cache-dir", cache)
        run(session, "mypy", *strict, "--python-executable", str(python), "programs", "pages")
        run(session, "pyright", "--level", "error", "--pythonpath", str(python), ".")


def _check_light(session: nox.Session, folder: Path) -> None:
    """Build fer2013kit-light and predict with it where there is no TensorFlow."""
    run(session, "build", "--no-isolation", "--wheel", "--outdir", str(folder / "light"), "light")
    (archive,) = (folder / "light").glob("*.whl")
    _check_contents(session, archive)
    python = _new_environment(folder / "light_environment")
    _install(session, python, archive)
    with session.chdir(folder / "work"):
        session.run(str(python), "-c", WHERE + LIGHT)
        session.run(str(python.with_name("fer2013kit")), "predict", "--crops", "face.png")


def _check_contents(session: nox.Session, archive: Path) -> None:
    """Fail unless the wheel holds the whole package with its types, and nothing else."""
    with zipfile.ZipFile(archive) as wheel_file:
        names = set(wheel_file.namelist())
    package = {name for name in names if name.startswith("fer2013kit/")}
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "fer2013kit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if package != source:
        session.error(f"the wheel and src differ in {sorted(package ^ source)}")
    foreign = {name for name in names - package if ".dist-info/" not in name}
    if foreign:
        session.error(f"the wheel holds files of no package: {sorted(foreign)}")


def _check_reproducible(session: nox.Session, folder: Path) -> None:
    """Fail unless the same files come again, byte for byte, the wheel from here as from the sdist.

    ``build`` alone makes the wheel of the unpacked sdist; told of both, of this folder.
    """
    first, again = folder / "dist", folder / "again"
    both = ("--sdist", "--wheel")
    run(session, "build", "--no-isolation", *both, "--outdir", str(again))
    for path in first.iterdir():
        if path.read_bytes() != (again / path.name).read_bytes():
            session.error(f"{path.name} differs from one build to the next")


def _stranger_environment(folder: Path) -> Path:
    """Create an environment that sees the libraries beside nox, but not this checkout.

    A second TensorFlow would take gigabytes.  A folder named in a ``.pth`` file is searched for
    packages, while the ``.pth`` files inside it, the editable install's among them, are not read.
    """
    python = _new_environment(folder)
    (site,) = folder.glob("**/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def _new_environment(folder: Path) -> Path:
    """Create an empty environment and return its Python."""
    venv.create(folder, clear=True)  # without pip, whose installation takes longer than the wheel's
    return _python_in(folder)


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def _install(session: nox.Session, python: Path, *arguments: object) -> None:
    """Install into another Python's environment."""
    into = ("--quiet", "--python", str(python))
    run(session, "uv", "pip", "install", *into, *map(str, arguments))
