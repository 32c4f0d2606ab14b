"""Several machines: processes of this one, in network namespaces, or as nodes of Ray's cluster.

``python -m nox -s cluster`` runs it, in an environment with Ray; elsewhere it is skipped.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fer2013kit as fk

ray = pytest.importorskip("ray")

from ray.cluster_utils import Cluster  # noqa: E402 - where there is one

TESTS = Path(__file__).parent
PROGRAM = TESTS / "two_processes.py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # Ray's own
]


@pytest.fixture(scope="module")
def hosts():
    """Return the address of the first of two hosts, and how a program is started on each."""
    program = shutil.which("ip")
    if os.geteuid() or program is None:
        yield "127.0.0.1", [[], []]
        return
    names, links = ("fk0", "fk1"), ("fkv0", "fkv1")

    def ip(*words, check=True):
        subprocess.run([program, *words], check=check)  # noqa: S603 - our own words

    try:
        for number, name in enumerate(names):
            ip("netns", "add", name)
            # What ip shows in the place of /etc/hosts: JAX's processes find one another by names.
            hosts = Path("/etc/netns", name, "hosts")
            hosts.parent.mkdir(parents=True, exist_ok=True)
            hosts.write_text(f"127.0.0.1 localhost\n10.77.0.{number + 1} {socket.gethostname()}\n")
        ip("link", "add", links[0], "type", "veth", "peer", "name", links[1])
        for number, (name, link) in enumerate(zip(names, links, strict=True)):
            ip("link", "set", link, "netns", name)
            ip("-n", name, "addr", "add", f"10.77.0.{number + 1}/24", "dev", link)
            for each in ("lo", link):
                ip("-n", name, "link", "set", each, "up")
        yield "10.77.0.1", [[program, "netns", "exec", name] for name in names]
    finally:
        for name in names:
            ip("netns", "del", name, check=False)
            shutil.rmtree(Path("/etc/netns", name), ignore_errors=True)


def start(prefix, *words):
    path = os.pathsep.join(map(str, (TESTS, TESTS.parent / "src")))
    return subprocess.Popen(  # noqa: S603 - our own program
        [*prefix, sys.executable, PROGRAM, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def end(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out.splitlines()[-1:], err


def train_on(hosts, folder, *rest):
    address, prefixes = hosts
    with socket.create_server(("", 0)) as free:
        address += f":{free.getsockname()[1]}"
    both = [start(prefix, address, n, 2, folder, *rest) for n, prefix in enumerate(prefixes)]
    return [end(process) for process in both]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return what one process says that trains alone, by whether it mixes."""
    said = {}
    for name in ("plain", "mixed"):
        code, lines, err = end(start([], "", 0, 1, tmp_path_factory.mktemp("alone") / name))
        assert code == 0, err
        said[name] = json.loads(lines[0])
    return said


def check_equal(ended, alone):
    weights = set()
    for code, lines, err in ended:
        assert code == 0, err
        said = json.loads(lines[0])
        weights.add(said["weights"])
        for name, figures in alone["history"].items():
            np.testing.assert_allclose(said["history"][name], figures, rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(said["answers"], alone["answers"], atol=1e-5)
    assert len(weights) == 1  # both have the same, to the last bit


@pytest.mark.parametrize("name", ["plain", "mixed"])
def test_two_hosts_learn_what_one_does(hosts, alone, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    check_equal(train_on(hosts, folder), alone[name])
    assert not (folder / "of_1").exists()  # the first one keeps the checkpoint


def test_a_host_that_dies_ends_the_run_which_goes_on_from_its_checkpoint(hosts, alone, tmp_path):
    (code, _, err), (killed, _, _) = train_on(hosts, tmp_path, 2)
    assert killed == -9
    assert code not in {0, -9}
    assert "process 0 of 2 lost touch with another one" in err
    assert not (tmp_path / "of_0.fer").exists()
    ended = train_on(hosts, tmp_path)
    assert "resuming after epoch 2" in ended[0][2]
    check_equal(ended, alone["plain"])


@pytest.fixture
def cluster():
    """Return a cluster of a head and three nodes with one CPU each."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
        variables = {
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "PYTHONPATH": os.pathsep.join(map(str, (TESTS, TESTS.parent / "src", TESTS.parent))),
        }
        ray.init(address=cluster.address, runtime_env={"env_vars": variables}, log_to_driver=False)
        yield cluster, nodes
    finally:
        ray.shutdown()
        cluster.shutdown()


def table_of(folder):
    return pd.read_parquet(folder).sort_values(["image", "face"], ignore_index=True)


def test_scoring_survives_the_death_of_a_node(cluster, tmp_path):
    cluster, nodes = cluster
    src, dst = tmp_path / "photos", tmp_path / "ray"
    src.mkdir()
    contents = [photo.read_bytes() for photo in fk.sample_photos()]
    for number in range(60):
        (src / f"{number:02}.jpg").write_bytes(contents[number % 2] if number != 7 else b"broken")
    reports = []
    # Ray is connected in this thread; the one that scores shares it.
    scoring = threading.Thread(
        target=lambda: reports.append(
            fk.score(src, dst, part_size=2, workers=3, engine="ray", tta=None)
        )
    )
    scoring.start()
    while scoring.is_alive() and not list(dst.glob("*.parquet")):
        time.sleep(0.05)
    done = len(list(dst.glob("*.parquet")))
    assert 0 < done < 25
    cluster.remove_node(nodes[2], allow_graceful=False)
    scoring.join(timeout=400)
    (report,) = reports
    assert (report.n_images, report.n_errors, report.n_parts) == (60, 1, 30)
    fk.score(src, tmp_path / "here", part_size=2, tta=None)
    pd.testing.assert_frame_equal(table_of(dst), table_of(tmp_path / "here"))


def test_ray_launches_a_fit_again_whose_worker_died(cluster, tmp_path):
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.v2.jax import JaxTrainer

    def work(folder):
        import ray.train.collective
        from ray.train._internal.utils import get_address_and_port

        import two_processes

        context = ray.train.get_context()
        host, port = get_address_and_port()
        address = ray.train.collective.broadcast_from_rank_zero(f"{host}:{port}")
        two_processes.join(address, context.get_world_rank(), context.get_world_size())
        two_processes.fit_once(folder, context.get_world_rank(), context.get_world_size())

    result = JaxTrainer(
        work,
        train_loop_config=str(tmp_path),
        scaling_config=ScalingConfig(num_workers=2),
        run_config=RunConfig(
            storage_path=str(tmp_path / "ray"), failure_config=FailureConfig(max_failures=1)
        ),
    ).fit()
    assert result.error is None
    ended = [(0, [(tmp_path / f"said_{n}.json").read_text()], "") for n in range(2)]
    code, lines, err = end(start([], "", 0, 1, tmp_path / "alone"))
    assert code == 0, err
    assert (tmp_path / "killed").exists()
    check_equal(ended, json.loads(lines[0]))
