"""Programs of README and the pages that are no doctests run, on small stand-ins for their files."""

import zipfile

import av
import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fer2013kit as fk
from fer2013kit.video import _reading
from networks import tiny_network
from snippets import pages, programs_of

FOLDERS = {"docs_how_to_own_images": {"happy": "joy", "angry": "angry", "sad": "unsure"}}
"""How a page has the classes of my-faces called; elsewhere all go by their names."""
WORDS = "neutral happiness surprise sadness anger disgust fear contempt unknown NF"
SMALLER = {"subset(7000,": "subset(70,", "workers=8": "workers=1"}
PROGRAMS = {name: code for name, page in pages() if (code := programs_of(page))}


@pytest.fixture
def place(tmp_path, monkeypatch, request):
    """Return a folder, the current one, with every file that a page names."""
    monkeypatch.chdir(tmp_path)
    data = fk.make_fer2013(n_samples=140, random_state=0)
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    rows = pd.concat(
        pd.DataFrame(
            {
                "emotion": split.labels,
                "pixels": [" ".join(map(str, image.ravel())) for image in split.images],
                "Usage": usages[name],
            }
        )
        for name, split in data.splits.items()
    )
    rows.to_csv("fer2013.csv", index=False)
    with zipfile.ZipFile("archive.zip", "w") as archive:
        archive.write("fer2013.csv")
    votes = np.zeros((len(rows), 10), int)
    # FER+ has neutral first, then happiness, surprise, sadness, anger, disgust and fear.
    votes[np.arange(len(rows)), np.array([4, 5, 6, 1, 3, 2, 0])[rows["emotion"]]] = 10
    table = pd.DataFrame(votes, columns=[*WORDS.split()])
    table.insert(0, "Image name", [f"fer{number:07}.png" for number in range(len(rows))])
    table.insert(0, "Usage", rows["Usage"].tolist())
    table.to_csv("fer2013new.csv", index=False)
    called = FOLDERS.get(request.node.callspec.params["name"], {n: n for n in fk.CLASS_NAMES})
    for number, (image, label) in enumerate(zip(*data.train, strict=True)):
        if folder := called.get(fk.CLASS_NAMES[label]):
            path = tmp_path / "my-faces" / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(path)
    photo = fk.sample_photos()[0].read_bytes()
    (tmp_path / "photos").mkdir()
    for name in ("party.jpg", "me.jpg", "photos/one.jpg"):
        (tmp_path / name).write_bytes(photo)
    fk.EmotionClassifier.from_pretrained("five_layer_cnn_small").save("emotions.fer")
    return tmp_path


@pytest.fixture(autouse=True)
def _short(monkeypatch, tmp_path_factory):
    """Train one epoch, of a small network where it is the default; a video is the camera."""
    fit = fk.EmotionClassifier.fit

    def short_fit(self, *args, **kwargs):
        self.set_params(epochs=1, verbose=0)
        if self.model == "five_layer_cnn" and not self.warm_start:
            self.set_params(model_params={"filters": (4, 4, 4), "dense_units": 8})
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(fk.EmotionClassifier, "fit", short_fit)
    video = tmp_path_factory.mktemp("camera") / "camera.mp4"
    with av.open(video, "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in (50, 100):
            picture = np.full((48, 64, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    monkeypatch.setattr(_reading, "_camera", lambda number: (str(video), None))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")  # a page sets it
    for name in ("initialize", "set_distribution", "DataParallel"):  # see test_cluster.py
        monkeypatch.setattr(keras.distribution, name, lambda *_, **__: None)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_a_page_run(name, place):
    space = {"__name__": "__main__", "fk": fk, "np": np, "mine": tiny_network}
    code = "\n".join(PROGRAMS[name])
    for long, short in SMALLER.items():
        code = code.replace(long, short)
    exec(compile(code, name, "exec"), space)  # noqa: S102 - our own pages
