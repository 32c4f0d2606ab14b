"""The page: limits, hostile requests, and what a visitor sees in a browser."""

import asyncio
import base64
import csv
import html
import http.client
import io
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import fer2013kit as fk
from browser import open_browser
from fer2013kit import serve
from fer2013kit.emotions import CLASS_COLORS, FERPLUS_CLASS_NAMES
from fer2013kit.exceptions import InvalidInputError
from fer2013kit.serve import is_loopback, listen, url_of
from fer2013kit.serve._guard import HEADERS

PATIENCE = 300  # seconds until what never comes is given up; a busy machine is slow
PHOTO = fk.sample_photos()[0]
SERVE = [sys.executable, "-c", "from fer2013kit.cli import main; main()", "serve", "--port", "0"]


class Stub:
    """Quick, and the same for each face; it can be held up."""

    def __init__(self):
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def predict_proba(self, faces):
        self.entered.set()
        assert self.open.wait(PATIENCE)
        return np.tile(np.eye(7)[fk.Emotion.HAPPY], (len(faces), 1))


def client_of(**settings):
    app = fk.create_app(settings.pop("classifier", Stub()), **settings)
    return TestClient(app, base_url="http://localhost:2013")


@pytest.fixture(scope="module")
def client():
    return client_of(max_megabytes=0.2, max_megapixels=1)


def encode(picture, kind="PNG", **settings):
    content = io.BytesIO()
    picture.save(content, kind, **settings)
    return content.getvalue()


def test_a_photo_is_answered_as_by_analyze_photo(client):
    answer = client.post("/analyze", content=PHOTO.read_bytes())
    assert answer.status_code == 200
    (face,) = fk.analyze_photo(PHOTO, classifier=Stub())
    assert answer.json() == {"width": 512, "height": 512, "faces": [face.as_dict()]}


def test_a_detector_of_ones_own_says_where_faces_are():
    own = client_of(detector=lambda image: [[10, 20, 100, 120]])
    (face,) = own.post("/analyze", content=PHOTO.read_bytes()).json()["faces"]
    assert face["box"] == {"left": 10, "top": 20, "width": 100, "height": 120}


def test_words_come_from_the_classes_of_any_classifier():
    class Eight(Stub):
        classes_ = np.arange(8)

        def predict_proba(self, faces):
            return np.tile(np.eye(8)[7], (len(faces), 1))

    answer = client_of(classifier=Eight()).post("/analyze", content=PHOTO.read_bytes())
    (face,) = answer.json()["faces"]
    assert face["emotion"] == "contempt"
    assert list(face["probabilities"]) == [*fk.CLASS_NAMES, "contempt"]


def test_every_word_of_the_page_has_its_colour():
    def colors_of(classifier):
        (told,) = re.findall(
            'data-colors="([^"]*)"', client_of(classifier=classifier).get("/").text
        )
        return json.loads(html.unescape(told))

    emotions = dict(zip(FERPLUS_CLASS_NAMES, CLASS_COLORS, strict=True))
    assert colors_of(None) == colors_of(Stub()) == emotions

    class Own(Stub):
        class_names_ = ("calm", *fk.CLASS_NAMES[1:])

    calm = colors_of(Own()).pop("calm")
    assert calm not in CLASS_COLORS
    assert colors_of(Own()) == {"calm": calm, **emotions}


def test_no_face_is_an_empty_list(client):
    answer = client.post("/analyze", content=encode(Image.new("RGB", (300, 200))))
    assert answer.json() == {"width": 300, "height": 200, "faces": []}


def test_size_is_that_of_the_upright_photo(client):
    picture = Image.open(PHOTO).crop((0, 0, 512, 300)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter to the right
    answer = client.post("/analyze", content=encode(picture, "JPEG", exif=exif)).json()
    assert (answer["width"], answer["height"]) == (512, 300)
    (box,) = (face["box"] for face in answer["faces"])
    (upright,) = fk.analyze_photo(Image.open(PHOTO).crop((0, 0, 512, 300)), classifier=Stub())
    np.testing.assert_allclose(list(box.values()), upright.box, atol=8)


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"", 400, "empty"),
        (b"text, whatever its name", 415, "no image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415, "no image"),
        (PHOTO.read_bytes()[:9000], 400, "cut off"),
        (bytes(200_001), 413, "0.2 megabytes"),
        (encode(Image.new("1", (1001, 1000))), 413, "1001 x 1000"),
        (encode(Image.new("1", (20_000, 20_000)), "TIFF", compression="group4"), 413, "pixels"),
    ],
)
def test_bad_input_is_told(client, content, status, reason):
    answer = client.post("/analyze", content=content)
    assert answer.status_code == status, answer.text
    assert reason in answer.json()["error"]


async def upload(client, receive):
    """Return the status of a photo whose parts come one after the other."""
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost")]
    scope = {"type": "http", "method": "POST", "path": "/analyze", "headers": headers}
    async with asyncio.timeout(PATIENCE):
        await client.app({**scope, "query_string": b""}, receive, send)
    return sent[0]["status"]


def test_an_upload_of_unknown_length_is_cut_off(client):
    received = []

    async def receive():
        received.append(1)
        assert len(received) < 100
        return {"type": "http.request", "body": bytes(100_000), "more_body": True}

    assert asyncio.run(upload(client, receive)) == 413
    assert len(received) == 3


def test_an_upload_that_does_not_come_is_given_up(client, monkeypatch):
    monkeypatch.setattr("fer2013kit.serve._app._UPLOAD_SECONDS", 0.1)
    assert asyncio.run(upload(client, lambda: asyncio.sleep(PATIENCE))) == 408


def test_uploads_that_still_come_take_no_more_memory_than_eight_photos(client):
    async def visit(are_enough, refused):
        parts = iter([bytes(200_000), b""])

        async def receive():
            part = next(parts)
            if not part:
                await are_enough.wait()
            return {"type": "http.request", "body": part, "more_body": bool(part)}

        status = await upload(client, receive)
        if status == 503:
            refused.release()
        return status

    async def visit_together():
        are_enough, refused = asyncio.Event(), asyncio.Semaphore(0)
        visits = [asyncio.create_task(visit(are_enough, refused)) for _ in range(12)]
        async with asyncio.timeout(PATIENCE):
            for _ in range(4):
                await refused.acquire()
        are_enough.set()
        return await asyncio.gather(*visits)

    for _ in range(2):  # what is answered is forgotten
        assert sorted(asyncio.run(visit_together())) == [415] * 8 + [503] * 4


def test_the_rest_of_an_upload_is_taken_in_where_the_connection_is_closed(client):
    headers = {"Connection": "close"}
    assert client.post("/analyze", content=bytes(900_000), headers=headers).status_code == 413


def test_forms_and_wrong_methods_and_pages_are_told(client):
    form = {"photo": ("a.jpg", PHOTO.read_bytes())}
    assert "body" in client.post("/analyze", files=form).json()["error"]
    capital = {"Content-Type": "Multipart/Form-Data; boundary=x"}
    assert "body" in client.post("/analyze", content=b"--x", headers=capital).json()["error"]
    assert client.get("/analyze").status_code == 405
    for path in ("/page/nothing.js", "/page/index.html", "/page/..%2f_app.py"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:2013", "localhost.evil.example"])
def test_foreign_host_names_are_refused(client, host):
    for send in (client.get, client.post):
        assert send("/analyze", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:9", "[::1]:9", "192.168.3.4", "LocalHost."]
)
def test_addresses_and_localhost_are_known(client, host):
    assert client.get("/health", headers={"host": host}).json()["status"] == "ok"


def test_a_host_that_was_named_is_known():
    named = client_of(hosts=["Faces.example.org"])
    assert named.get("/health", headers={"host": "faces.example.org"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:1"},
        {"origin": "null"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_sites_may_not_ask(client, headers):
    answer = client.post("/analyze", content=PHOTO.read_bytes(), headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert client.get("/", headers=headers).status_code == 200  # a link there may lead here


def test_every_answer_forbids_the_browser_what_is_not_needed(client):
    for answer in (client.get("/"), client.get("/x"), client.get("/", headers={"host": "a.b"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_page_names_no_other_host(client):
    page = client.get("/").text
    files = ["/", *(f"/{path}" for path in re.findall(r'(?:src|href)="(page/[^"]+)"', page))]
    assert len(files) >= 4
    scripts = sorted(Path(serve.__file__).with_name("page").glob("*.js"))
    assert len(scripts) >= 2
    for path in (*files, *(f"/page/{script.name}" for script in scripts)):
        text = client.get(path).text.replace("http://www.w3.org/2000/svg", "")
        assert not re.findall(r"(?:https?:)?//[a-z0-9.]+\.[a-z]+", text), path


def test_files_of_the_page_come_as_what_they_are(client):
    """Browsers are told not to guess."""
    kinds = {".css": "text/css", ".jpg": "image/jpeg", ".js": "javascript", ".svg": "image/svg+xml"}
    files = [*Path(serve.__file__).with_name("page").iterdir(), *fk.sample_photos()]
    told = {
        file: client.get(f"/page/{file.name}").headers["content-type"]
        for file in files
        if file.suffix in kinds
    }
    assert {file.suffix for file in told} == set(kinds)
    for file, kind in told.items():
        assert kinds[file.suffix] in kind


def test_too_many_photos_at_once_are_refused():
    stub = Stub()
    busy = client_of(classifier=stub)
    stub.open.clear()
    stub.entered.clear()
    answers = []
    with busy:  # one event loop for all threads

        def send():
            answers.append(busy.post("/analyze", content=PHOTO.read_bytes()).status_code)

        threads = [threading.Thread(target=send) for _ in range(12)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + PATIENCE
        while len(answers) < 4:  # the others wait
            assert time.monotonic() < end
            time.sleep(0.01)
        assert stub.entered.wait(PATIENCE)
        refused = list(answers)
        stub.open.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert refused == [503] * 4
    assert answers.count(200) == 8
    assert busy.post("/analyze", content=PHOTO.read_bytes()).status_code == 200


def test_a_photo_that_takes_too_long_is_given_up_and_so_are_those_behind_it():
    stub = Stub()
    slow = client_of(classifier=stub, max_seconds=0.5)
    stub.open.clear()
    answers = []
    with slow:
        threads = [
            threading.Thread(
                target=lambda: answers.append(slow.post("/analyze", content=PHOTO.read_bytes()))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        stub.open.set()
        assert sorted(answer.status_code for answer in answers) == [422, 503]
        end = time.monotonic() + PATIENCE
        while slow.app.state.worker.is_busy:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert slow.get("/health").status_code == 200


def test_faults_of_the_page_are_told_with_the_headers_of_every_answer(caplog):
    class Broken(Stub):
        def predict_proba(self, faces):
            raise ZeroDivisionError("inside")

    answer = client_of(classifier=Broken()).post("/analyze", content=PHOTO.read_bytes())
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "inside" in caplog.text


def test_nothing_is_written(client, monkeypatch, caplog):
    written = []

    def watch(event, arguments):
        if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            written.append(arguments[0])
        if event in {"tempfile.mkstemp", "tempfile.mkdtemp", "os.mkdir"}:
            written.append(event)

    _watchers.append(watch)
    try:
        assert client.post("/analyze", content=PHOTO.read_bytes()).status_code == 200
        assert client.post("/analyze", content=b"secret").status_code == 415
        assert not written
        with Path("/dev/null" if sys.platform != "win32" else "nul").open("w"):
            assert written  # the watch works
    finally:
        _watchers.remove(watch)
    assert "secret" not in caplog.text


_watchers = []
sys.addaudithook(lambda event, arguments: [watch(event, arguments) for watch in _watchers])


def models_of(client):
    """Return the models by their names, which page and route tell alike."""
    models = client.get("/models").json()["models"]
    (told,) = re.findall('data-models="([^"]*)"', client.get("/").text)
    assert json.loads(html.unescape(told)) == models
    return {model["name"]: model for model in models}


def test_any_model_that_ships_may_be_asked(client):
    models = models_of(client)
    assert list(models) == ["default", *fk.list_pretrained()]
    assert models["default"]["title"] == "default: the given classifier"
    assert "default: ferplus_cnn" in client_of(classifier=None).get("/models").text
    name = "five_layer_cnn_small"
    answer = client.post(f"/analyze?model={name}", content=PHOTO.read_bytes()).json()
    (face,) = fk.analyze_photo(PHOTO, classifier=fk.load_predictor(name))
    assert answer["faces"] == [face.as_dict()]
    for path in ("analyze", "explain"):
        unknown = client.post(f"/{path}?model=nothing", content=PHOTO.read_bytes())
        assert unknown.status_code == 400
        assert name in unknown.json()["error"]


def test_a_photo_without_a_face_is_read_whole_where_that_is_asked(client):
    content = encode(Image.new("RGB", (300, 200)))
    answer = client.post("/analyze?whole=true", content=content).json()
    (face,) = answer["faces"]
    assert face["box"] == {"left": 0, "top": 0, "width": 300, "height": 200}
    assert client.post("/analyze?whole=perhaps", content=content).status_code == 400
    assert client.post("/analyze?whole=true", content=PHOTO.read_bytes()[:9000]).status_code == 400


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("analyze?modle=deep_cnn", "no parameter 'modle'; those here are model, whole"),
        ("analyze?Whole=true", "no parameter 'Whole'"),
        ("analyze?tta=flip", "no parameter 'tta'"),
        ("analyze?face=0", "no parameter 'face'"),
        ("explain?number=1", "no parameter 'number'; those here are model, whole, face, emotion"),
        ("analyze?whole=false&whole=true", "whole must come once"),
    ],
)
def test_parameters_that_would_change_nothing_are_refused(client, asked, message):
    answer = client.post(f"/{asked}", content=PHOTO.read_bytes())
    assert answer.status_code == 400
    assert message in answer.json()["error"]


KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def check_by_schema(value, schema, schemas):
    """Fail unless a value is what a schema says, of the words of JSON Schema that are used here."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, KINDS[kind]) for kind in kinds), (value, schema)
    assert value in schema.get("enum", [value])
    assert value == schema.get("const", value)
    if isinstance(value, dict):
        others = schema.get("additionalProperties", {})
        assert set(schema.get("required", ())) <= set(value)
        for name, inner in value.items():
            told = schema.get("properties", {}).get(name, others)
            assert told is not False, name
            check_by_schema(inner, told, schemas)
    if isinstance(value, list):
        assert len(value) >= schema.get("minItems", 0)
        for inner in value:
            check_by_schema(inner, schema.get("items", {}), schemas)
    if isinstance(value, int | float):
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value)


def test_the_description_and_the_routes_agree(client):
    described = client.get("/openapi.json").json()
    ways = {
        (route.path, method.lower())
        for route in client.app.routes
        for method in route.methods - {"HEAD"}
        if route.path not in {"/", "/page/{name}"}
    }
    assert {(path, way) for path, item in described["paths"].items() for way in item} == ways

    def check(answer, status=200):
        assert answer.status_code == status
        request = answer.request
        operation = described["paths"][request.url.path][request.method.lower()]
        told = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        check_by_schema(answer.json(), told, described["components"]["schemas"])

    for path in ("health", "models", "openapi.json"):
        check(client.get(f"/{path}"))
        check(client.get(f"/{path}", headers={"host": "evil.example"}), 421)
    for query in ("", "?whole=true", "?model=five_layer_cnn_small"):
        check(client.post(f"/analyze{query}", content=PHOTO.read_bytes()))
    check(client.post("/analyze?model=none", content=PHOTO.read_bytes()), 400)
    check(client.post("/explain", content=PHOTO.read_bytes()), 501)
    check(client.post("/explain?face=-1", content=PHOTO.read_bytes()), 400)
    check(client.post("/analyze", content=bytes(200_001)), 413)
    check(client.post("/analyze", content=b"no image"), 415)
    choices = {one["name"]: one for one in described["paths"]["/analyze"]["post"]["parameters"]}
    assert choices["model"]["schema"]["enum"] == list(models_of(client))


def test_explanations_are_offered_only_where_they_can_be_had(client):
    assert not client.get("/health").json()["explains"]
    assert models_of(client)["default"]["explains"] is False
    answer = client.post("/explain?face=0", content=PHOTO.read_bytes())
    assert answer.status_code == 501
    assert "TensorFlow" in answer.json()["error"]
    for number in ("x", "%C2%B2", "9" * 5000):
        assert client.post(f"/explain?face={number}", content=b"").status_code == 400


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_explanation_is_that_of_the_face_that_the_network_saw():
    data = fk.make_fer2013(n_samples=70, random_state=0)
    classifier = fk.EmotionClassifier(epochs=1, augment=False, verbose=0, random_state=0).fit(
        *data.train
    )
    trained = client_of(classifier=classifier)
    assert trained.get("/health").json()["explains"]
    face = data.test.images[0]
    content = encode(Image.fromarray(face[..., 0]))
    answer = trained.post("/explain?face=0", content=content).json()
    schemas = trained.get("/openapi.json").json()["components"]["schemas"]
    check_by_schema(answer, schemas["Heat"], schemas)
    label = int(classifier.predict(face[None])[0])
    assert answer["emotion"] == fk.CLASS_NAMES[label]
    assert base64.b64decode(answer["face"]) == face.tobytes()
    heat = np.frombuffer(base64.b64decode(answer["heat"]), np.uint8).reshape(48, 48)
    expected = fk.explain(classifier, face[None], emotion=label)[0]
    np.testing.assert_allclose(heat / 255, expected, atol=0.01)
    assert answer["square"] == {"left": 0, "top": 0, "side": 48}
    asked = trained.post("/explain?emotion=fear", content=content).json()
    heat = np.frombuffer(base64.b64decode(asked["heat"]), np.uint8).reshape(48, 48)
    expected = fk.explain(classifier, face[None], emotion="fear")[0]
    assert asked["emotion"] == "fear"
    np.testing.assert_allclose(heat / 255, expected, atol=0.01)
    assert "square" in trained.post("/explain", content=PHOTO.read_bytes()).json()
    for query in ("face=1", "face=9999999999", "emotion=feer"):
        assert trained.post(f"/explain?{query}", content=content).status_code == 400


def test_of_a_search_the_network_that_it_chose_is_explained():
    class Search(Stub):
        best_estimator_ = SimpleNamespace(model_=None)

    explains = models_of(client_of(classifier=Search()))["default"]["explains"]
    assert explains == (find_spec("tensorflow") is not None)


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_a_network_that_takes_colours_is_explained(monkeypatch):
    class Colours(Stub):
        image_shape_ = (48, 48, 3)
        model_ = None

    def explain(_, pictures, *, emotion):
        asked.append((pictures, emotion))
        return np.zeros((1, 48, 48))

    asked = []
    monkeypatch.setattr("fer2013kit.explanation.explain", explain)
    answer = client_of(classifier=Colours()).post("/explain", content=PHOTO.read_bytes()).json()
    ((pictures, emotion),) = asked
    assert answer["emotion"] == emotion == "happy"
    face = np.frombuffer(base64.b64decode(answer["face"]), np.uint8).reshape(48, 48, 1)
    np.testing.assert_array_equal(pictures, face[None].repeat(3, axis=-1))


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_a_bundled_network_that_was_chosen_by_name_is_explained_too():
    name = "five_layer_cnn_small"
    chosen = client_of(classifier=fk.load_predictor(name), label=name)
    assert models_of(chosen)["default"]["explains"] is True
    content = PHOTO.read_bytes()
    answer = chosen.post("/explain?emotion=happy", content=content).json()
    by_name = chosen.post(f"/explain?emotion=happy&model={name}", content=content).json()
    assert answer == by_name
    assert answer != chosen.post("/explain?emotion=happy&model=deep_cnn", content=content).json()
    # So is the one for photographs, which answers where none was chosen.
    plain = client_of(classifier=None)
    answer = plain.post("/explain?emotion=happy", content=content).json()
    assert answer == plain.post("/explain?emotion=happy&model=ferplus_cnn", content=content).json()


def test_models_tell_what_answers_and_what_a_program_would_load():
    explains = find_spec("tensorflow") is not None

    def told(client):
        models = models_of(client)
        for name in fk.list_pretrained():
            ships = {"name": name, "title": name, "source": name, "own": False}
            assert models[name] == {**ships, "explains": explains}
        return tuple(models["default"][key] for key in ("title", "source", "own"))

    assert told(client_of(classifier=None)) == ("default: ferplus_cnn", None, False)
    assert told(client_of()) == ("default: the given classifier", None, True)
    assert told(client_of(label="my.fer")) == ("default: my.fer", "my.fer", True)


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_the_square_that_is_told_is_what_was_cut_out_of_the_photo():
    asked, client = "model=five_layer_cnn_small", client_of(classifier=None)
    one = Image.open(PHOTO).convert("L")
    both = Image.new("L", (2 * one.width, one.height))
    both.paste(one)
    both.paste(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (one.width, 0))
    content, sides = encode(both), set()
    for number in (0, 1):
        answer = client.post(f"/explain?{asked}&face={number}", content=content).json()
        left, top, side = (answer["square"][name] for name in ("left", "top", "side"))
        sides.add(left < one.width)
        cut = both.crop((left, top, left + side, top + side)).resize((48, 48))
        seen = np.frombuffer(base64.b64decode(answer["face"]), np.uint8)
        assert np.corrcoef(np.asarray(cut).ravel(), seen)[0, 1] > 0.98
    assert sides == {True, False}
    whole = encode(both.crop((0, 0, 90, 60)))
    answer = client.post(f"/explain?{asked}&whole=true", content=whole).json()
    assert answer["square"] == {"left": 15, "top": 0, "side": 60}
    answer = client.post(f"/explain?{asked}&whole=true", content=encode(one.crop((0, 0, 60, 90))))
    assert answer.json()["square"] == {"left": 0, "top": 15, "side": 60}


@pytest.mark.parametrize("wrong", [{"classifier": object()}, {"detector": "eyes"}])
def test_what_cannot_analyze_photos_is_refused_before_the_first_one(wrong):
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        fk.create_app(**wrong)


@pytest.mark.parametrize("name", ["max_megabytes", "max_megapixels", "max_seconds"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "1", True])
def test_limits_must_be_positive(name, value):
    with pytest.raises(InvalidInputError, match=f"{name} must be a number in"):
        fk.create_app(Stub(), **{name: value})


def test_a_port_that_is_taken_is_told():
    with listen("127.0.0.1", 0) as listener:
        assert is_loopback(listener)
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://127.0.0.1:{port}/"
        with pytest.raises(InvalidInputError, match="taken"):
            listen("127.0.0.1", port)
    with pytest.raises(InvalidInputError, match="name for one"):
        listen("no.such.host.invalid", 0)
    with pytest.raises(InvalidInputError, match="no such address"):
        listen("192.0.2.1", 0)  # of no computer, but of examples


def test_an_address_of_ipv6_stands_in_brackets():
    try:
        listener = listen("::1", 0)
    except InvalidInputError:
        pytest.skip("there is no IPv6 here")
    with listener:
        assert is_loopback(listener)
        assert re.fullmatch(r"http://\[::1\]:\d+/", url_of(listener))


def start(*options, program=SERVE):
    process = subprocess.Popen(  # noqa: S603 - our own program, run by our own Python
        [*program, "--no-open-browser", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def stop(process):
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=PATIENCE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT")
def test_command_ends_cleanly_and_warns_of_other_hosts():
    process, url = start("--host", "0.0.0.0")  # noqa: S104 - what is warned of
    with urllib.request.urlopen(f"{url}health") as answer:  # noqa: S310 - our own server
        assert answer.status == 200
    address = urllib.parse.urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        answer = connection.makefile("rb").read()  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"x-content-type-options: nosniff\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    _, messages = stop(process)
    assert process.returncode == 0, messages
    assert "warning: whoever can reach this computer" in messages
    assert "Traceback" not in messages


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT")
def test_unfinished_connections_do_not_block_others_nor_the_end():
    code = f"from fer2013kit.serve import _server; _server._SECONDS_TO_ASK = 3; {SERVE[2]}"
    process, url = start(program=[*SERVE[:2], code, *SERVE[3:]])
    port = int(url.rstrip("/").rpartition(":")[2])
    head = b"POST /analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nx"
    with ExitStack() as opened:
        for number in range(100):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(head if number < 20 else head[:20] if number < 60 else b"")
        request = urllib.request.Request(f"{url}analyze", PHOTO.read_bytes())  # noqa: S310 - our own
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
            assert answer.status == 200
        connection.settimeout(PATIENCE)
        assert not connection.recv(1)  # closed: the last one asked for nothing
        _, messages = stop(process)
    assert process.returncode == 0, messages
    assert "Traceback" not in messages


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT")
def test_who_closes_the_connection_is_told_too_that_a_photo_is_too_large():
    process, url = start("--max-megabytes", "0.1")
    request = urllib.request.Request(f"{url}analyze", bytes(20_000_000))  # noqa: S310 - our own server
    try:
        for _ in range(3):
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(request)  # noqa: S310 - the same
            with refusal.value as answer:
                assert answer.status == 413
                assert "too large" in json.load(answer)["error"]
    finally:
        _, messages = stop(process)
    assert process.returncode == 0, messages


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT")
def test_connections_beyond_the_limit_are_answered_with_the_headers():
    code = f"from fer2013kit.serve import _server; _server._MAX_CONNECTIONS = 2; {SERVE[2]}"
    process, url = start(program=[*SERVE[:2], code, *SERVE[3:]])
    port = int(url.rstrip("/").rpartition(":")[2])
    with ExitStack() as opened:
        for expected in (200, 200, 503):
            one = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            one.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = http.client.HTTPResponse(one)
            answer.begin()
            assert answer.status == expected
        assert "connections" in json.loads(answer.read())["error"]
    assert HEADERS.items() <= {name.lower(): text for name, text in answer.getheaders()}.items()
    _, messages = stop(process)
    assert process.returncode == 0, messages


@pytest.fixture(scope="module")
def visited():
    """A browser, and where the page is."""
    if sys.platform == "win32":
        pytest.skip("Windows sends no SIGINT")
    with open_browser() as browser:
        process, url = start()
        try:
            yield browser, url
        finally:
            stop(process)


@pytest.fixture
def visit(visited):
    """The same, the page as at the first visit."""
    browser, url = visited
    browser.open("about:blank")
    browser.events.clear()
    browser.open(url)
    return browser, url


def test_a_visitor_drops_a_photo_and_uses_the_camera(visit, tmp_path):
    browser, url = visit
    browser.drop(PHOTO)
    browser.wait_for("document.querySelectorAll('.box').length == 1")
    assert "1 face: happy" in browser.text()
    assert browser.run("document.querySelectorAll('.bars li').length") == len(fk.Emotion)
    box = browser.run(
        "(() => { const stage = document.getElementById('stage').getBoundingClientRect();"
        "const box = document.querySelector('.box').getBoundingClientRect();"
        "return [(box.x - stage.x) / stage.width, box.width / stage.width] })()"
    )
    (face,) = fk.analyze_photo(PHOTO)
    np.testing.assert_allclose(box, [face.box.left / 512, face.box.width / 512], atol=0.01)

    browser.run(
        "window.allowed = navigator.mediaDevices.getUserMedia;"
        "navigator.mediaDevices.getUserMedia ="
        "() => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    browser.run("document.getElementById('camera').click()")
    browser.wait_for("document.getElementById('message').innerText.includes('not allowed')")
    if find_spec("tensorflow"):  # the photo is still there to be asked about
        browser.run("document.querySelector('.why').click()")
        browser.wait_for("document.querySelectorAll('.explanation figure').length == 2")
    browser.run(
        "window.asked = 0; navigator.mediaDevices.getUserMedia = (...all) => {"
        "window.asked += 1; return window.allowed.apply(navigator.mediaDevices, all) }"
    )

    text = tmp_path / "text.jpg"
    text.write_text("no image")
    browser.drop(text)
    browser.wait_for("document.getElementById('message').innerText.includes('no image')")
    assert not browser.run("document.querySelectorAll('.box').length")
    refusals = browser.complaints()
    assert all("415" in str(one) for one in refusals), refusals

    browser.run(
        "const draw = HTMLCanvasElement.prototype.toBlob;"
        "HTMLCanvasElement.prototype.toBlob ="  # the first frame is held up
        "function (...all) { window.release = () => draw.apply(this, all) }"
    )
    browser.run("for (const _ of [1, 2]) document.getElementById('camera').click()")
    browser.wait_for("Boolean(window.release)")
    assert browser.run("window.asked") == 1
    assert "Looking for faces" in browser.text()
    assert browser.run("document.getElementById('freeze').hidden")  # nothing to keep yet
    browser.run("HTMLCanvasElement.prototype.toBlob = draw; window.release()")
    browser.wait_for("document.getElementById('summary').innerText.includes('found')")
    browser.run("document.getElementById('freeze').click()")
    browser.wait_for("!document.getElementById('photo').hidden")
    browser.wait_for("document.getElementById('summary').innerText.includes('found')")
    assert browser.run("document.getElementById('video').srcObject") is None
    assert browser.complaints() == refusals
    visited = [one for one in browser.requests() if not one.startswith("blob:")]
    assert all(one.startswith(url) for one in visited), visited


def content_of(path):
    """Return what is in a file that is written somewhere else."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    return path.read_bytes()


def test_a_visitor_takes_along_what_was_found(visit, tmp_path, monkeypatch):
    browser, url = visit
    twice, nobody = tmp_path / "two, 'of' them.png", tmp_path / "=nobody.png"
    with Image.open(PHOTO) as photo:
        face = photo.crop((100, 0, 340, 240))
    pair = Image.new("RGB", (600, 300))
    pair.paste(face, (0, 0))
    pair.paste(face.resize((280, 280)), (300, 0))
    pair.save(twice)
    Image.new("RGB", (300, 200)).save(nobody)
    found = sorted(fk.analyze_photo(twice), key=lambda face: face.box.left)
    assert len(found) == 2

    browser.drop(twice, nobody)
    browser.wait_for("document.querySelectorAll('#album li').length == 2")
    browser.wait_for("document.querySelectorAll('#album span')[1].innerText == 'no face'")
    assert browser.run("document.querySelector('.box').ariaLabel").startswith("Face 1 ")
    for place in ("summary", "status"):  # what is seen, and what is read aloud
        assert browser.run(f"document.getElementById('{place}').innerText").startswith("2 faces: ")
    browser.run("document.querySelectorAll('.box')[1].click()")
    assert browser.run("document.activeElement.querySelector('h2').innerText").startswith("2 ")

    def saved(kind):
        browser.run(f"document.getElementById('{kind}').click()")
        return content_of(tmp_path / f"emotions.{kind}")

    browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    rows = list(csv.DictReader(io.StringIO(saved("csv").decode())))
    assert sorted(int(row["left"]) for row in rows) == [face.box.left for face in found]
    assert {row["photo"] for row in rows} == {twice.name}
    answer = json.loads(saved("json"))["photos"]
    assert [photo["photo"] for photo in answer] == [twice.name, nobody.name]
    assert len(answer[0]["faces"]) == 2
    drawn = Image.open(io.BytesIO(saved("png"))).convert("RGB")
    changed = (np.array(drawn) != np.array(pair)).any(axis=2)
    left, top, width, height = found[0].box
    assert changed[top + height // 2, [left, left + width]].all()
    assert not changed[top + height // 2, left + width // 2]

    browser.run("document.getElementById('code').click()")
    python, curl = browser.run(
        "[...document.querySelectorAll('.programs pre')].map((pre) => pre.innerText)"
    )
    monkeypatch.chdir(tmp_path)
    exec(python, names := {})  # noqa: S102 - a program that the page shows
    assert [face.box for face in names["faces"]] == [face.box for face in fk.analyze_photo(twice)]
    assert Path("annotated.png").exists()
    if shutil.which("curl"):
        told = subprocess.run(["sh", "-c", curl], check=True, capture_output=True).stdout  # noqa: S603, S607 - the same
        assert json.loads(told)["faces"] == [face.as_dict() for face in names["faces"]]
    assert all(one.startswith((url, "blob:")) for one in browser.requests())
    assert not browser.complaints()


def test_a_visitor_is_helped_where_no_face_is_found(visit, tmp_path, monkeypatch):
    browser, _ = visit
    nobody = tmp_path / "nobody.png"
    photo = Image.linear_gradient("L").rotate(90).resize((300, 200))
    photo.save(nobody)
    browser.drop(nobody)
    browser.wait_for("!document.getElementById('hint').hidden")
    browser.run("document.getElementById('whole').click()")
    browser.wait_for("document.querySelectorAll('.bars').length == 1")
    browser.run("document.getElementById('code').click()")
    python, _ = browser.run(
        "[...document.querySelectorAll('.programs pre')].map((pre) => pre.innerText)"
    )
    monkeypatch.chdir(tmp_path)
    exec(python, names := {})  # noqa: S102 - a program that the page shows
    (face,) = fk.analyze_photo(fk.to_face(photo))
    np.testing.assert_allclose(names["probabilities"], face.probabilities, atol=1e-6)
    browser.run(
        "const model = document.getElementById('model'); model.value = 'ferplus_cnn';"
        "model.dispatchEvent(new Event('change'))"
    )
    browser.wait_for("document.querySelectorAll('.bars li').length == 8")
    assert not browser.complaints()


def test_programs_for_explanations_load_what_answers(visit):
    """A network that ships by its name, a file by its path."""
    browser, _ = visit
    told = browser.run(
        """(async () => {
        const { programs } = await import("/page/save.js");
        const item = { name: "a.jpg", explained: { number: 0, emotion: "sad" } };
        return ["deep_cnn", "mine.fer", null].map((source) =>
          programs(item, { name: "default", source, own: source !== null }, ["deep_cnn"]).Python);
        })()"""
    )
    loads = [next(line for line in text.split("\n") if "trained = " in line) for text in told]
    assert loads == [
        'trained = fk.EmotionClassifier.from_pretrained("deep_cnn")',
        'trained = fk.EmotionClassifier.load("mine.fer")',
        'trained = fk.EmotionClassifier.from_pretrained("ferplus_cnn")',
    ]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_visitor_sees_a_video(visit, tmp_path, width):
    av = pytest.importorskip("av")
    browser, _ = visit
    browser.resize(width, 800, dark=width < 600)
    path = tmp_path / "short.webm"
    with Image.open(PHOTO) as photo, av.open(path, "w") as video:
        stream = video.add_stream("libvpx", 5, width=256, height=256, pix_fmt="yuv420p")
        for _ in range(3):
            video.mux(stream.encode(av.VideoFrame.from_image(photo.resize((256, 256)))))
        video.mux(stream.encode())
    browser.drop(path)
    browser.wait_for("document.getElementById('video').controls")
    assert "1 face in the video. Face 1: happy 100 %." in browser.text()
    assert "Face 1: happy" in browser.run("document.getElementById('timeline').ariaLabel")
    assert browser.run("document.documentElement.scrollWidth") <= width
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    browser.drop(broken)
    browser.wait_for("document.getElementById('message').innerText.includes('cannot play')")


def test_faces_are_followed_and_steady(visit):
    browser, _ = visit
    # One that trembles while it moves to the right, and one that is lost for a second.
    lefts, ids, words = browser.run(
        """(async () => {
        const { Recording } = await import("/page/live.js");
        const recording = new Recording(4);
        const face = (left, happy) => ({
            box: { left, top: 100, width: 100, height: 120 }, quality: [],
            probabilities: { happy, sad: 1 - happy }, emotion: happy > 0.5 ? "happy" : "sad",
        });
        const shown = [...Array(20).keys()].map((step) => {
            const jitter = step % 2 ? 8 : -8;
            const faces = [face(20 * step + jitter, step % 4 ? 0.9 : 0.3)];
            if (step < 8 || step > 12) faces.unshift(face(900, 0));
            return recording.follow({ width: 1200, height: 400, faces }, step / 5).faces;
        });
        return [shown.flat().filter(({ id }) => id === 2).map(({ box }) => box.left),
            shown.map((faces) => faces.map(({ id }) => id).sort().join()),
            recording.summary().sort()];
        })()"""
    )
    steps = np.diff(lefts)[4:]
    assert np.abs(steps - 20).max() < 16  # the boxes that came tremble by 16
    assert set(ids) == {"1,2", "2"}
    assert len(lefts) == 20
    # A quarter of the answers for the second one was sad.
    assert words == ["Face 1: sad 100 %", "Face 2: happy 90 %, sad 10 %"]
