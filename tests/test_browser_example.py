"""The example that runs in a browser: the same pixels, crops and answers as in Python."""

import base64
import contextlib
import http.server
import importlib.util
import io
import json
import shutil
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fer2013kit as fk
from browser import open_browser

EXAMPLE = Path(__file__).parents[1] / "examples" / "browser"
OWN = Path(fk.__file__).parent / "weights" / "five_layer_cnn_small.tflite"
LITERT = EXAMPLE / "node_modules" / "@litertjs"
needs_litert = pytest.mark.skipif(
    not LITERT.exists(), reason="LiteRT.js is missing: python -m nox -s browser"
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a word."""

    def log_message(self, *_):
        """Print nothing."""


def collect(folder, network=None):
    """Call collect.py of the example."""
    specification = importlib.util.spec_from_file_location("collect", EXAMPLE / "collect.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.collect(folder, network)


@pytest.fixture(scope="module")
def visited(tmp_path_factory):
    """A browser on the page, with the networks of this package beside it; and the page's folder."""
    with open_browser() as browser:
        folder = tmp_path_factory.mktemp("page")
        for path in EXAMPLE.iterdir():
            if path.is_file():
                shutil.copy(path, folder)
        if LITERT.exists():
            (folder / "node_modules").mkdir()
            (folder / "node_modules" / "@litertjs").symlink_to(LITERT)
        collect(folder / "networks")
        collect(folder / "own", OWN)
        handler = partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            with contextlib.ExitStack() as stack:
                stack.callback(thread.join)
                stack.callback(server.shutdown)
                browser.open(f"http://127.0.0.1:{server.server_port}/index.html")
                yield browser


def in_javascript(pixels):
    """Return pixels as an expression for an image of the example."""
    height, width = pixels.shape[:2]
    data = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
    array = f"Uint8Array.from(atob('{data}'), (one) => one.charCodeAt(0))"
    return f"p.image({width}, {height}, {pixels.size // width // height}, {array})"


def test_pixels_are_pillows_to_the_last_bit(visited):
    noise = np.random.default_rng(0).integers(0, 256, (16, 21, 3), dtype=np.uint8)
    colors = Image.fromarray(noise).resize((83, 61), Image.Resampling.BICUBIC)
    gray = colors.convert("L")
    bilinear, bicubic, lanczos = (
        Image.Resampling[name] for name in ("BILINEAR", "BICUBIC", "LANCZOS")
    )
    window = "{left: 3.3, top: 2.7, right: 55.1, bottom: 54.5}"
    expected = {
        "p.toGray(colors)": gray,
        "p.resized(colors, 150, 97, 'bilinear')": colors.resize((150, 97), bilinear),
        "p.resized(colors, 31, 17, 'bilinear')": colors.resize((31, 17), bilinear),
        f"p.resized(gray, 48, 48, 'lanczos', {window})": gray.resize(
            (48, 48), lanczos, box=(3.3, 2.7, 55.1, 54.5)
        ),
        "p.reduced(colors, 3)": colors.reduce(3),
        "p.shrunk(colors, 14, 11, 'bilinear')": colors.resize((14, 11), bilinear, reducing_gap=2.0),
        "p.shrunk(gray, 14, 11, 'bicubic')": gray.resize((14, 11), bicubic, reducing_gap=2.0),
        "p.rotated(gray, 33.3, 'bicubic')": gray.rotate(33.3, bicubic),
        "p.rotated(colors, 45, 'bilinear', {grow: true})": colors.rotate(
            45, bilinear, expand=True
        ),
        "p.quarterTurned(colors, 3)": np.rot90(np.asarray(colors), 3),
        "p.mirrored(colors)": np.asarray(colors)[:, ::-1],
    }  # fmt: skip
    answers = visited.run(
        "import('./pixels.js').then((p) => {"
        f"const colors = {in_javascript(np.asarray(colors))}; const gray = p.toGray(colors);"
        f"return [{', '.join(expected)}].map((o) => [o.height, o.width, Array.from(o.data)]); }})"
    )
    for (call, image), (height, width, data) in zip(expected.items(), answers, strict=True):
        pixels = np.asarray(image)
        assert pixels.shape[:2] == (height, width), call
        np.testing.assert_array_equal(np.reshape(data, pixels.shape), pixels, call)


@pytest.fixture
def photographs(tmp_path):
    """Photographs without loss: upright, turned, mirrored, small, and ones without any face."""
    collins, hopper = (Image.open(path).convert("RGB") for path in fk.sample_photos())
    both = Image.new("RGB", (1024, 600), "gray")
    both.paste(collins, (0, 20))
    both.paste(hopper.resize((300, 352)), (600, 120))
    images = {
        "upright": hopper,
        "two": both,
        "on_its_side": collins.rotate(90, expand=True),
        "tilted": hopper.rotate(25, Image.Resampling.BICUBIC),
        "aslant": collins.rotate(45, Image.Resampling.BICUBIC),
        "small": collins.resize((128, 128)),
        "crop": hopper.crop((160, 100, 360, 340)),
        "ready": collins.resize((48, 48)),
        "nobody": Image.new("RGB", (200, 100), "white"),
    }
    for name, image in images.items():
        image.save(tmp_path / f"{name}.png")
    return sorted(tmp_path.iterdir())


@needs_litert
def test_answers_are_those_of_the_library_and_nothing_is_sent(visited, photographs):
    status = "document.getElementById('status').textContent"
    visited.wait_for(f"{status}.startsWith('Ready')")
    visited.events.clear()
    for path in photographs:
        content = base64.b64encode(path.read_bytes()).decode()
        answers = visited.run(
            "(async () => {"
            "const [{analyzer}, {fromCanvas}] = await Promise.all("
            "[import('./page.js'), import('./pixels.js')]);"
            f"const bytes = Uint8Array.from(atob('{content}'), (one) => one.charCodeAt(0));"
            "const blob = new Blob([bytes]);"
            "const bitmap = await createImageBitmap(blob, {colorSpaceConversion: 'none'});"
            "const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');"
            "context.drawImage(bitmap, 0, 0);"
            "const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);"
            "return (await analyzer.analyze(fromCanvas(pixels)))"
            ".map((face) => ({...face, crop: Array.from(face.crop.data)})); })()"
        )
        faces = fk.analyze_photo(path)
        assert len(answers) == len(faces), path
        for answer, face in zip(answers, faces, strict=True):
            assert answer["emotion"] == face.emotion
            assert answer["uncertain"] == face.uncertain
            assert tuple(answer["quality"]) == face.quality
            np.testing.assert_allclose(answer["box"], face.box, atol=1)
            crop = np.reshape(answer["crop"], face.crop.shape)
            np.testing.assert_allclose(crop, face.crop.astype(int), atol=2, err_msg=str(path))
            probabilities = [answer["probabilities"][name] for name in face.class_names]
            np.testing.assert_allclose(probabilities, face.probabilities, atol=0.005)
    assert [url for url in visited.requests() if not url.startswith("blob:")] == []


@needs_litert
def test_a_network_of_ones_own_answers_as_in_the_library(visited):
    collins = np.asarray(Image.open(fk.sample_photos()[0]).convert("RGB"))
    (answer,) = visited.run(
        "Promise.all([import('./faces.js'), import('./pixels.js')]).then(async ([f, p]) => {"
        "const analyzer = await f.loadAnalyzer('./own');"
        f"return (await analyzer.analyze({in_javascript(collins)}))"
        ".map(({probabilities}) => probabilities); })"
    )
    (face,) = fk.analyze_photo(collins, classifier=fk.EmotionPredictor.load(OWN))
    assert tuple(answer) == face.class_names
    np.testing.assert_allclose([*answer.values()], face.probabilities, atol=0.005)


def test_networks_that_the_page_cannot_run_are_refused(tmp_path):
    with pytest.raises(SystemExit, match="tflite files alone"):
        collect(tmp_path / "networks", tmp_path / "emotions.onnx")
    assert not (tmp_path / "networks").exists()


@needs_litert
def test_visitors_see_boxes_bars_and_what_is_wrong(visited, tmp_path):
    status = "document.getElementById('status').textContent"
    visited.wait_for(f"{status}.startsWith('Ready')")
    visited.drop(*fk.sample_photos()[:1])
    visited.wait_for("document.querySelectorAll('#faces > li').length == 1")
    assert "1 face: happy" in visited.text()
    assert visited.run("document.querySelectorAll('.bars li').length") == len(fk.Emotion)
    widths = visited.run(
        "Array.from(document.querySelectorAll('.track i'), (bar) => parseFloat(bar.style.width))"
    )
    assert sum(widths) == pytest.approx(100, abs=0.1)
    (tmp_path / "text.png").write_text("no image")
    visited.drop(tmp_path / "text.png")
    visited.wait_for(f"{status}.includes('no image that the browser can read')")
    empty = io.BytesIO()
    Image.new("RGB", (200, 100), "white").save(empty, "PNG")
    (tmp_path / "nobody.png").write_bytes(empty.getvalue())
    visited.drop(tmp_path / "nobody.png")
    visited.wait_for(f"{status}.startsWith('No face')")
    visited.run("document.getElementById('camera').click()")
    visited.wait_for("document.getElementById('photo').width == 640")
    visited.run("document.getElementById('camera').click()")
    assert json.loads(visited.run("document.getElementById('camera').ariaPressed")) is False
