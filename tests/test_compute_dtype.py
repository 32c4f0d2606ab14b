import keras
import pytest

import fer2013kit as fk
from fer2013kit.classifier import _compute_dtype


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("processor : 0\nflags : fpu avx512f avx512_bf16 amx\n", True),
        ("flags\t\t: fpu amx_bf16\n", True),
        ("flags : fpu avx2\n", False),
        ("Features : fp asimd\n", False),
        ("", False),
    ],
)
def test_cpu_flags_are_read(tmp_path, text, has):
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    assert _compute_dtype.cpu_has_bfloat16(path) is has


def test_no_cpuinfo_means_no_bfloat16(tmp_path):
    assert _compute_dtype.cpu_has_bfloat16(tmp_path / "none") is False


@pytest.mark.parametrize(
    ("has", "backend", "expected"),
    [
        (True, "tensorflow", "bfloat16"),
        (False, "tensorflow", "float32"),
        (True, "jax", "float32"),
    ],
)
def test_auto_follows_the_cpu_and_the_backend(monkeypatch, has, backend, expected):
    monkeypatch.setattr(_compute_dtype, "cpu_has_bfloat16", lambda: has)
    monkeypatch.setattr(keras.config, "backend", lambda: backend)
    assert _compute_dtype.resolve_compute_dtype("auto") == expected


def test_policy_is_given_back():
    before = keras.config.dtype_policy().name
    with _compute_dtype.compute_dtype_policy("bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize("kind", [keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D])
def test_depthwise_convolutions_stay_in_float32_unless_asked(kind, tmp_path, monkeypatch, caplog):
    def build(input_shape, num_classes):
        few = {"strides": 4} if kind is keras.layers.DepthwiseConv2D else {"filters": 2}
        inside = keras.Sequential([keras.Input(input_shape), kind(kernel_size=3, **few)])
        last = keras.layers.Dense(num_classes, "softmax", dtype="float32")
        mean = keras.layers.GlobalAveragePooling2D()
        return keras.Sequential([keras.Input(input_shape), inside, mean, last])

    monkeypatch.setattr(_compute_dtype, "cpu_has_bfloat16", lambda: True)
    caplog.set_level("INFO", "fer2013kit")
    X, y = fk.make_fer2013(n_samples=70, random_state=0).train
    clf = fk.EmotionClassifier(build, epochs=1, verbose=0, augment=False).fit(X, y)
    assert clf.compute_dtype_ == "float32"
    assert "depthwise convolutions" in caplog.text
    clf.save(tmp_path / "a.fer")
    load = fk.EmotionClassifier.load
    assert load(tmp_path / "a.fer", model=build, compute_dtype="auto").compute_dtype_ == "float32"
    fast = load(tmp_path / "a.fer", model=build, compute_dtype="bfloat16")
    assert fast.compute_dtype_ == "bfloat16"
    assert fast.model_.layers[0].layers[0].compute_dtype == "bfloat16"
    assert clf.set_params(compute_dtype="bfloat16").fit(X, y).compute_dtype_ == "bfloat16"
