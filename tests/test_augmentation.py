import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fer2013kit as fk
from fer2013kit.augmentation import UNIFORMS_PER_IMAGE, calmed, mix_images

STILL = {"rotation": 0, "zoom": 0, "shift": 0, "horizontal_flip": False, "brightness": 0}
STILL |= {"contrast": 0, "erasing": 0}


def to_numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.fixture(scope="module")
def faces():
    return fk.make_fer2013(n_samples=70, random_state=0).train.images[:16]


def middle(n):
    """Return random numbers that mean no change (and no flip)."""
    return np.full((n, UNIFORMS_PER_IMAGE), 0.5, np.float32)


def test_nothing_happens_outside_training(faces):
    layer = fk.FaceAugmentation(erasing=1.0, seed=0)
    np.testing.assert_array_equal(to_numpy(layer(faces, training=False)), faces)
    assert not np.array_equal(to_numpy(layer(faces, training=True)), faces)


def test_zero_strengths_change_nothing(faces):
    layer = fk.FaceAugmentation(**STILL)
    uniform = np.random.default_rng(0).random((len(faces), UNIFORMS_PER_IMAGE), np.float32)
    np.testing.assert_array_equal(to_numpy(layer.transform(faces, uniform)), faces)


def test_middle_of_every_range_changes_nothing(faces):
    augmented = to_numpy(fk.FaceAugmentation().transform(faces, middle(len(faces))))
    np.testing.assert_allclose(augmented, faces, atol=0.02)


def test_flip_mirrors(faces):
    uniform = middle(len(faces))
    uniform[:, 2] = 0.0
    layer = fk.FaceAugmentation(**{**STILL, "horizontal_flip": True})
    flipped = to_numpy(layer.transform(faces, uniform))
    np.testing.assert_allclose(flipped, faces[:, :, ::-1], atol=0.02)


def test_shift_moves_by_its_fraction(faces):
    uniform = middle(len(faces))
    uniform[:, 3] = 1.0  # the far end of the range: 6 of 48 pixels, looking to the right
    moved = to_numpy(fk.FaceAugmentation(**{**STILL, "shift": 0.125}).transform(faces, uniform))
    np.testing.assert_allclose(moved[:, :, :-6], faces[:, :, 6:], atol=0.02)


def ramps(height, width):
    """Return two images: each pixel of the first holds its row, of the second its column."""
    return np.stack(np.mgrid[:height, :width])[..., None].astype(np.float32)


def test_zoom_stretches_about_the_centre():
    uniform = middle(2)
    uniform[:, 1] = 1.0
    layer = fk.FaceAugmentation(**{**STILL, "zoom": 0.5})
    rows, columns = to_numpy(layer.transform(ramps(10, 14), uniform))[..., 0]
    np.testing.assert_allclose(rows[:, 0], 4.5 + (np.arange(10) - 4.5) / 1.5, atol=1e-4)
    np.testing.assert_allclose(columns[0], 6.5 + (np.arange(14) - 6.5) / 1.5, atol=1e-4)


def test_shift_is_a_fraction_of_each_side():
    uniform = middle(2)
    uniform[:, 3:5] = 1.0, 0.0
    layer = fk.FaceAugmentation(**{**STILL, "shift": 0.2})
    rows, columns = to_numpy(layer.transform(ramps(10, 20), uniform))[..., 0]
    np.testing.assert_allclose(rows[:, 0], np.maximum(np.arange(10) - 2, 0), atol=1e-4)
    np.testing.assert_allclose(columns[0], np.minimum(np.arange(20) + 4, 19), atol=1e-4)


def test_quarter_turn(faces):
    uniform = middle(len(faces))
    uniform[:, 0] = 1.0
    turned = to_numpy(fk.FaceAugmentation(**{**STILL, "rotation": 90}).transform(faces, uniform))
    either = [np.rot90(faces, k, axes=(1, 2)).astype(float) for k in (1, -1)]
    assert min(np.abs(turned - one).mean() for one in either) < 0.05


def test_brightness_adds_and_clips():
    uniform = middle(1)
    uniform[:, 6] = 1.0
    layer = fk.FaceAugmentation(**{**STILL, "brightness": 0.2})
    image = np.array([0.0, 100.0, 240.0], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(to_numpy(layer.transform(image, uniform)).ravel(), [51, 151, 255])


def test_contrast_keeps_the_mean_of_each_image():
    uniform = middle(2)
    uniform[:, 5] = 0.0
    layer = fk.FaceAugmentation(**{**STILL, "contrast": 0.5})
    images = np.array([[50, 100, 150], [0, 20, 40]], np.float32).reshape(2, 1, 3, 1)
    np.testing.assert_allclose(
        to_numpy(layer.transform(images, uniform)).reshape(2, 3), [[75, 100, 125], [10, 20, 30]]
    )


def test_erasing_paints_a_rectangle_of_the_stated_area():
    uniform = np.random.default_rng(0).random((200, UNIFORMS_PER_IMAGE), np.float32)
    images = np.full((200, 48, 48, 1), -1.0, np.float32)  # a value that no grey has
    erased = to_numpy(fk.FaceAugmentation(**{**STILL, "erasing": 0.5}).transform(images, uniform))
    areas = (erased != -1).mean(axis=(1, 2, 3))
    assert 0.35 < (areas > 0).mean() < 0.65
    assert areas[areas > 0].min() > 0.01
    assert areas.max() < 0.28
    greys = erased.max(axis=(1, 2, 3))
    np.testing.assert_allclose(greys[areas > 0], 255 * uniform[areas > 0, 12], rtol=1e-6)
    one = erased[areas > 0][0, :, :, 0] != -1
    assert one.sum() == one.any(axis=1).sum() * one.any(axis=0).sum()


@given(
    strengths=st.fixed_dictionaries(
        {
            "rotation": st.floats(0, 180),
            "zoom": st.floats(0, 0.9),
            "shift": st.floats(0, 0.9),
            "horizontal_flip": st.booleans(),
            "brightness": st.floats(0, 1),
            "contrast": st.floats(0, 0.9),
            "erasing": st.floats(0, 1),
        }
    ),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_shape_and_range_are_kept(strengths, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (3, 48, 48, 1), np.uint8)
    uniform = rng.random((3, UNIFORMS_PER_IMAGE), np.float32)
    augmented = to_numpy(fk.FaceAugmentation(**strengths).transform(images, uniform))
    assert augmented.shape == images.shape
    assert augmented.dtype == np.float32
    assert augmented.min() >= -0.01
    assert augmented.max() <= 255.01


def test_calmed_numbers_move_half_as_much_and_erase_nothing(faces):
    uniform = np.random.default_rng(0).random((len(faces), UNIFORMS_PER_IMAGE), np.float32)
    strengths = {"rotation": 30, "zoom": 0.4, "shift": 0.2, "brightness": 0.3, "contrast": 0.6}
    half = {name: value / 2 for name, value in strengths.items()}
    np.testing.assert_allclose(
        to_numpy(fk.FaceAugmentation(**strengths, erasing=1.0).transform(faces, calmed(uniform))),
        to_numpy(fk.FaceAugmentation(**half).transform(faces, uniform)),
        atol=0.05,
    )


def test_seed_decides(faces):
    first, again, other = (
        to_numpy(fk.FaceAugmentation(seed=seed)(faces, training=True)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_layer_is_built_again_from_its_config():
    layer = fk.FaceAugmentation(rotation=5, erasing=0.25, horizontal_flip=False, seed=3)
    config = layer.get_config()
    assert fk.FaceAugmentation.from_config(config).get_config() == config


@pytest.mark.parametrize(
    "strength", [{"rotation": -1}, {"zoom": 1.0}, {"erasing": 1.5}, {"brightness": float("nan")}]
)
def test_strength_out_of_range_is_refused(strength):
    with pytest.raises(fk.InvalidInputError, match=f"{next(iter(strength))} must be a number in"):
        fk.FaceAugmentation(**strength)


def test_mixup_blends_pictures_and_targets():
    images = np.stack([np.zeros((4, 4, 1)), np.full((4, 4, 1), 200.0)]).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)
    mixed, blended = mix_images(
        images,
        targets,
        share=np.array([0.75, 1.0], np.float32),
        cut=np.array([False, False]),
        position=np.full((2, 2), 0.5, np.float32),
    )
    np.testing.assert_allclose(to_numpy(mixed)[:, 0, 0, 0], [50, 200])
    np.testing.assert_allclose(to_numpy(blended), [[0.75, 0.25], [0, 1]])


def test_cutmix_targets_follow_the_area_that_was_pasted():
    rng = np.random.default_rng(0)
    n = 20
    images = np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1) * np.ones((1, 10, 12, 1), "float32")
    cut_images, cut_targets = mix_images(
        images,
        np.eye(n, dtype=np.float32),
        share=rng.random(n).astype(np.float32),
        cut=np.ones(n, bool),
        position=rng.random((n, 2)).astype(np.float32),
    )
    cut_images, cut_targets = to_numpy(cut_images), to_numpy(cut_targets)
    for i in range(n):
        own = (cut_images[i] == i).mean()
        assert cut_targets[i, i] == pytest.approx(own, abs=1e-6)
        assert cut_targets[i, n - 1 - i] == pytest.approx(1 - own, abs=1e-6)


def test_cutmix_pastes_about_its_position():
    mixed, targets = mix_images(
        np.arange(2, dtype=np.float32).reshape(2, 1, 1, 1) * np.ones((1, 8, 12, 1), np.float32),
        np.eye(2, dtype=np.float32),
        share=np.full(2, 0.75, np.float32),  # so that the rectangle has half of each side
        cut=np.ones(2, bool),
        position=np.array([[0.5, 0.25], [1.0, 0.5]], np.float32),
    )
    pasted = np.zeros((2, 8, 12))
    pasted[0, 2:6, 0:6] = 1
    pasted[1, 6:8, 3:9] = 1  # half of it is cut off
    np.testing.assert_array_equal(to_numpy(mixed)[0, ..., 0], pasted[0])
    np.testing.assert_array_equal(to_numpy(mixed)[1, ..., 0], 1 - pasted[1])
    np.testing.assert_allclose(to_numpy(targets), [[0.75, 0.25], [0.125, 0.875]])
