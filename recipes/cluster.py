"""Train on several machines, launched by Ray; the guide's page on devices shows the function.

    python -m recipes.cluster fer2013.csv FOLDER --workers 2 --epochs 3

Ray's cluster is the one that it finds, else this machine alone.  What every machine reads and
writes, the data and FOLDER, lies under the same path on all of them.
"""

from __future__ import annotations

import argparse
from typing import Any


# --- what every process does
def train(settings: dict[str, Any]) -> None:
    """Fit together with the other processes, from the last whole epoch on where there is one."""
    import keras
    import ray.train.collective
    from ray.train._internal.utils import get_address_and_port

    import fer2013kit as fk

    context = ray.train.get_context()
    if not settings["gpu"]:  # on GPUs, Ray has joined the processes already
        host, port = get_address_and_port()
        address = ray.train.collective.broadcast_from_rank_zero(f"{host}:{port}")
        keras.distribution.initialize(address, context.get_world_size(), context.get_world_rank())
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    data = fk.load_fer2013(settings["data"])
    clf = fk.EmotionClassifier(
        epochs=settings["epochs"], random_state=0, checkpoint_dir=settings["folder"] + "/state"
    )
    clf.fit(*data.train, validation_data=data.validation)
    if context.get_world_rank() == 0:
        clf.save(settings["folder"] + "/emotions.fer")


# --- end


def main() -> None:
    """Launch so many processes and wait for them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--gpu", action="store_true")
    options = parser.parse_args()
    settings = {"data": options.data, "folder": options.folder, "epochs": options.epochs}
    settings["gpu"] = options.gpu
    # --- how they are launched
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.v2.jax import JaxTrainer

    platform = "cuda" if options.gpu else "cpu"
    ray.init(runtime_env={"env_vars": {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": platform}})
    JaxTrainer(
        train,
        train_loop_config=settings,
        scaling_config=ScalingConfig(num_workers=options.workers, use_gpu=options.gpu),
        run_config=RunConfig(failure_config=FailureConfig(max_failures=3)),
    ).fit()
    # --- end of it


if __name__ == "__main__":
    main()
