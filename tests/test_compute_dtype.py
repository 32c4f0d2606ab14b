import keras
import pytest

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


@pytest.mark.parametrize(("has", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_auto_follows_the_cpu(monkeypatch, has, expected):
    monkeypatch.setattr(_compute_dtype, "cpu_has_bfloat16", lambda: has)
    assert _compute_dtype.resolve_compute_dtype("auto") == expected


def test_policy_is_given_back():
    before = keras.config.dtype_policy().name
    with _compute_dtype.compute_dtype_policy("bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == before
