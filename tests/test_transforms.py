import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import fer2013kit as fk

TRANSFORMS = {
    "to_grayscale": fk.to_grayscale,
    "resize": fk.resize,
    "rescale": fk.rescale,
    "standardize": fk.standardize,
    "equalize_histogram": fk.equalize_histogram,
    "apply_clahe": lambda images: fk.apply_clahe(images, tiles=(2, 3)),
    "grayscale_to_rgb": fk.grayscale_to_rgb,
}
ON_PICTURES = [name for name in TRANSFORMS if name != "rescale"]
GRAY_ONLY = ["equalize_histogram", "apply_clahe", "grayscale_to_rgb"]


def shapes(channels=(None, 1, 2, 3, 4)):
    """Shapes of single images and batches, with and without an axis of channels."""

    @st.composite
    def draw_shape(draw):
        shape = (draw(st.integers(5, 12)), draw(st.integers(5, 12)))
        channel = draw(st.sampled_from(channels))
        if channel is not None:
            shape = (*shape, channel)
        return (draw(st.integers(0, 3)), *shape) if draw(st.booleans()) else shape

    return draw_shape()


def levels(channels=(None, 1, 2, 3, 4)):
    return shapes(channels).flatmap(lambda shape: hnp.arrays(np.uint8, shape))


def fractions(channels=(None, 1, 2, 3, 4), dtype=np.float32):
    elements = st.floats(0, 1, width=np.dtype(dtype).itemsize * 8)
    return shapes(channels).flatmap(lambda shape: hnp.arrays(dtype, shape, elements=elements))


gray_levels = levels((None, 1))


# --- all of them -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRANSFORMS)
@given(data=st.data())
def test_batch_gives_what_its_pictures_give_one_by_one(name, data):
    images = data.draw(gray_levels if name in GRAY_ONLY else levels())
    transform = TRANSFORMS[name]
    result = transform(images)
    is_batch = images.ndim == 4 or (images.ndim == 3 and images.shape[-1] > 4)
    if is_batch:
        assert len(result) == len(images)
        for image, expected in zip(images, result, strict=True):
            np.testing.assert_array_equal(transform(image), expected)
    else:
        np.testing.assert_array_equal(transform(images[None])[0], result)


@pytest.mark.parametrize("name", ["rescale", "standardize", "equalize_histogram", "apply_clahe"])
def test_many_images_give_what_few_of_them_give(name):
    images = np.random.default_rng(0).integers(0, 256, (130, 48, 48), np.uint8)  # in three turns
    parts = [TRANSFORMS[name](images[start : start + 10]) for start in range(0, 130, 10)]
    np.testing.assert_array_equal(TRANSFORMS[name](images), np.concatenate(parts))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_input_is_left_alone(name):
    images = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 1), np.uint8)
    kept = images.copy()
    images.flags.writeable = False
    TRANSFORMS[name](images)
    np.testing.assert_array_equal(images, kept)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("shape", [(0, 48, 48), (0, 48, 48, 1)])
def test_no_pictures_give_no_pictures(name, shape):
    assert len(TRANSFORMS[name](np.empty(shape, np.uint8))) == 0


@pytest.mark.parametrize("name", ON_PICTURES)
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros(5, np.uint8), "must have shape"),
        (np.zeros((1, 2, 3, 4, 1), np.uint8), "must have shape"),
        (np.zeros((2, 0, 48), np.uint8), "with pixels"),
        (np.zeros((2, 8, 8, 5), np.uint8), "channels; received 5"),
        (np.zeros((10, 2304), np.uint8), "flat images"),
        (np.full((2, 8, 8), np.nan), "finite"),
        (np.full((2, 8, 8), 256), r"in \[0, 255\]"),
        (np.full((2, 8, 8), -1), r"in \[0, 255\]"),
        (np.full((2, 8, 8), "a"), "must hold numbers"),
        (np.zeros((2, 8, 8), complex), "must hold numbers"),
    ],
)
def test_bad_pictures_are_refused(name, images, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        TRANSFORMS[name](images)


@pytest.mark.parametrize("name", ON_PICTURES)
def test_whole_numbers_of_any_type_are_levels(name):
    images = np.random.default_rng(1).integers(0, 256, (2, 9, 11), np.uint8)
    np.testing.assert_array_equal(
        TRANSFORMS[name](images.astype(np.int64)), TRANSFORMS[name](images)
    )


@pytest.mark.parametrize("name", GRAY_ONLY)
def test_color_is_refused_with_the_way_out(name):
    with pytest.raises(fk.InvalidInputError, match="to_grayscale first"):
        TRANSFORMS[name](np.zeros((2, 8, 8, 3), np.uint8))


@pytest.mark.parametrize("function", [getattr(fk, name) for name in TRANSFORMS])
def test_functions_stand_in_a_scikit_learn_pipeline(function):
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1), np.uint8)
    pipeline = clone(make_pipeline(FunctionTransformer(function)))
    pipeline = pickle.loads(pickle.dumps(pipeline))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(pipeline.fit_transform(images), function(images))


# --- to_grayscale and grayscale_to_rgb ---------------------------------------------------------


@given(levels((3,)))
def test_gray_is_pillows_luma(images):
    expected = [
        np.asarray(Image.fromarray(image).convert("L"))
        for image in images.reshape(-1, *images.shape[-3:])
    ]
    result = fk.to_grayscale(images)
    assert result.shape == (*images.shape[:-1], 1)
    np.testing.assert_array_equal(result.reshape(np.shape(expected)), expected)


@given(levels((None, 1)))
def test_gray_stays_gray(images):
    np.testing.assert_array_equal(fk.to_grayscale(images), images)
    np.testing.assert_array_equal(
        fk.to_grayscale(fk.grayscale_to_rgb(images)).ravel(), images.ravel()
    )


@given(fractions())
def test_gray_of_floats_keeps_type_and_range(images):
    gray = fk.to_grayscale(images)
    assert gray.dtype == images.dtype
    assert not gray.size or (gray.min() >= 0 and gray.max() <= 1 + 1e-6)


@given(levels((2, 3, 4)))
def test_gray_of_floats_is_that_of_levels(images):
    gray = fk.to_grayscale(fk.rescale(images))
    np.testing.assert_allclose(gray * 255, fk.to_grayscale(images), atol=1.01)


def test_sixteen_bits_are_scaled():
    images = np.array([[0, 128, 129, 257, 65535 - 129, 65535 - 128, 65535]], np.uint16)
    assert fk.to_grayscale(images).tolist() == [[0, 0, 1, 1, 254, 255, 255]]
    colored = np.repeat(images[..., None], 3, axis=-1)
    assert fk.to_grayscale(colored)[..., 0].tolist() == [[0, 0, 1, 1, 254, 255, 255]]


def test_what_is_transparent_is_white():
    pixels = np.array([[[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 51]]], np.uint8)
    assert fk.to_grayscale(pixels)[0, :, 0].tolist() == [255, 0, 204]
    assert fk.to_grayscale(pixels[..., 2:])[0, :, 0].tolist() == [255, 0, 204]
    floats = fk.to_grayscale(pixels / 255.0)[0, :, 0]
    np.testing.assert_allclose(floats, [1, 0, 0.8])
    for wrong in (pixels.astype(np.float64), pixels / 200, pixels / 255 - 0.1):
        with pytest.raises(fk.InvalidInputError, match=r"^floats with alpha must be in \[0, 1\]; "):
            fk.to_grayscale(wrong)


def test_true_and_false_are_no_levels():
    with pytest.raises(fk.InvalidInputError, match="dtype bool; make it an image with"):
        fk.to_grayscale(np.eye(6, dtype=bool))


# --- resize ------------------------------------------------------------------------------------


@given(st.one_of(levels(), fractions(), fractions(dtype=np.float64)), st.data())
def test_resize_keeps_type_and_range(images, data):
    size = data.draw(st.tuples(st.integers(1, 15), st.integers(1, 15)))
    resized = fk.resize(images, size)
    channel_axis = images.ndim == 4 or (images.ndim == 3 and images.shape[-1] <= 4)
    height_axis = images.ndim - channel_axis - 2
    expected = list(images.shape)
    expected[height_axis : height_axis + 2] = size
    assert resized.shape == tuple(expected)
    assert resized.dtype == images.dtype
    if images.size:
        assert images.min() <= resized.min()
        assert resized.max() <= images.max()


@given(levels())
def test_resize_to_the_same_size_changes_nothing(images):
    axis = images.ndim - 2 - (images.ndim == 4 or (images.ndim == 3 and images.shape[-1] <= 4))
    np.testing.assert_array_equal(fk.resize(images, images.shape[axis : axis + 2]), images)


def test_resize_of_colour_gives_the_numbers_of_pillow():
    images = np.random.default_rng(0).integers(0, 256, (2, 9, 12, 3), np.uint8)
    images[:, 0, :2] = np.array([0, 255])[:, None]  # so that no image is of a narrower range
    expected = [Image.fromarray(one).resize((7, 5), Image.Resampling.LANCZOS) for one in images]
    np.testing.assert_array_equal(fk.resize(images, (5, 7)), np.stack(expected))


def test_resize_is_antialiased_and_to_48_by_default():
    stripes = np.tile(np.array([0, 255], np.uint8), (192, 96))
    resized = fk.resize(stripes)
    assert resized.shape == (48, 48)
    assert np.ptp(resized[:, 2:-2].astype(int)) <= 8


def test_resize_of_sixteen_bits_keeps_them():
    ramp = np.linspace(0, 65535, 96, dtype=np.uint16) * np.ones((96, 1), np.uint16)
    resized = fk.resize(ramp)
    assert resized.dtype == np.uint16
    assert resized.max() > 60000


@pytest.mark.parametrize("size", [48, (48,), (0, 48), (48, -1), (1.5, 2), ("a", "b"), None])
def test_bad_size_is_refused(size):
    with pytest.raises(fk.InvalidInputError, match="two whole numbers from 1 to 65536"):
        fk.resize(np.zeros((8, 8), np.uint8), size)


# --- rescale and standardize -------------------------------------------------------------------


@given(levels(), st.tuples(st.floats(-9, 9), st.floats(-9, 9)).filter(lambda r: r[0] != r[1]))
def test_rescale_goes_there_and_back(images, bounds):
    rescaled = fk.rescale(images, bounds)
    assert rescaled.dtype == np.float32
    if images.size and abs(bounds[0] - bounds[1]) > 0.01:
        tolerance = 1e-6 * max(map(abs, bounds))
        assert rescaled.min() >= min(bounds) - tolerance
        assert rescaled.max() <= max(bounds) + tolerance
        back = fk.rescale(rescaled.clip(*sorted(bounds)), (0, 255), input_range=bounds)
        np.testing.assert_array_equal(np.rint(back), images)


def test_rescale_meets_both_ends():
    assert fk.rescale(np.array([0, 255], np.uint8), (-1, 1)).tolist() == [-1, 1]
    assert fk.rescale(np.array([0, 65535], np.uint16)).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([0.5], {}, "do not tell their range"),
        ([0.5, 1.5], {"input_range": (0, 1)}, r"received 0.5 to 1.5"),
        ([np.nan], {"input_range": (0, 1)}, "finite"),
        ([1], {"output_range": (1, 1)}, "output_range must be two different"),
        ([1], {"input_range": (0, np.inf)}, "input_range must be two different"),
        ([1], {"output_range": 1}, "output_range must be two different"),
        (["a"], {}, "must hold numbers"),
    ],
)
def test_rescale_refuses(images, options, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        fk.rescale(images, **options)


@given(st.one_of(levels(), fractions()))
def test_standardized_pictures_have_no_mean_and_unit_variance(images):
    standardized = fk.standardize(images)
    assert standardized.dtype == np.float32
    assert standardized.shape == images.shape
    is_single = images.ndim == 2 or (images.ndim == 3 and images.shape[-1] <= 4)
    pictures = zip(
        *([images[None], standardized[None]] if is_single else [images, standardized]), strict=True
    )
    for before, after in pictures:
        if np.ptp(before) == 0:
            assert not after.any()
        elif np.ptp(before) > 1e-6:
            assert abs(after.mean(dtype=np.float64)) < 1e-4
            assert abs(after.std(dtype=np.float64) - 1) < 1e-4


@pytest.mark.parametrize("level", [0, 7, 0.1, 1e-30, -1e6])
def test_a_picture_of_one_level_becomes_zeros(level):
    assert not fk.standardize(np.full((48, 48), level)).any()


# --- histograms --------------------------------------------------------------------------------


def equalize_by_definition(picture):
    flat = picture.ravel()
    below = {level: int((flat <= level).sum()) for level in set(flat.tolist())}
    darkest = below[min(below)]
    if len(below) == 1:
        return picture
    table = {
        level: round(255 * (count - darkest) / (flat.size - darkest))
        for level, count in below.items()
    }
    return np.vectorize(table.__getitem__)(picture)


@given(levels((None,)))
def test_equalized_pictures_follow_the_definition(images):
    pictures = images if images.ndim == 3 else images[None]
    for picture, result in zip(pictures, fk.equalize_histogram(pictures), strict=True):
        assert result.dtype == np.uint8
        difference = equalize_by_definition(picture).astype(int) - result
        assert np.abs(difference).max() <= 1  # exact halves may round either way


@given(gray_levels)
def test_equalized_pictures_keep_their_order_and_fill_the_range(images):
    is_single = images.ndim == 2 or (images.shape[-1] == 1 and images.ndim == 3)
    for picture in images[None] if is_single else images:
        result = fk.equalize_histogram(picture)
        order = np.argsort(picture, axis=None)
        assert (np.diff(result.ravel()[order].astype(int)) >= 0).all()
        if np.ptp(picture):
            assert (result.min(), result.max()) == (0, 255)
        else:
            np.testing.assert_array_equal(result, picture)


@given(gray_levels, st.floats(0.1, 300), st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_clahe_keeps_shape_and_type(images, clip_limit, tiles):
    result = fk.apply_clahe(images, clip_limit=clip_limit, tiles=tiles)
    assert (result.shape, result.dtype) == (images.shape, np.dtype(np.uint8))


def test_clahe_with_one_tile_and_no_limit_is_the_cumulated_histogram():
    picture = np.random.default_rng(2).integers(0, 256, (16, 16), np.uint8)
    result = fk.apply_clahe(picture, clip_limit=np.inf, tiles=(1, 1))
    cumulated = np.bincount(picture.ravel(), minlength=256).cumsum()
    np.testing.assert_array_equal(result, np.rint(cumulated[picture] * 255 / 256))


def test_clahe_limits_contrast():
    picture = np.random.default_rng(3).normal(128, 3, (48, 48)).round().astype(np.uint8)
    contrasts = [
        fk.apply_clahe(picture, clip_limit=limit, tiles=(2, 2)).std() for limit in (1, 5, 20, 250)
    ]
    assert contrasts == sorted(contrasts)
    assert contrasts[-1] > 2 * contrasts[0]


@pytest.mark.parametrize(
    "options",
    [
        {"clip_limit": 0},
        {"clip_limit": np.nan},
        {"tiles": (0, 1)},
        {"tiles": (9, 1)},
        {"tiles": (1, 11)},
        {"tiles": 4},
        {"tiles": (1.5, 1)},
        {"tiles": (1, 2, 3)},
        {"tiles": None},
    ],
)
def test_clahe_refuses(options):
    with pytest.raises(fk.InvalidInputError, match=next(iter(options))):
        fk.apply_clahe(np.zeros((8, 8), np.uint8), **options)


def test_histogram_functions_refuse_floats():
    with pytest.raises(fk.InvalidInputError, match="scale 16 bits"):
        fk.equalize_histogram(np.zeros((8, 8)))


@pytest.mark.parametrize("shape", [(5, 48, 48), (3, 37, 53)])
@pytest.mark.parametrize(("clip_limit", "tiles"), [(2.0, (8, 8)), (40.0, (4, 4)), (30.0, (5, 7))])
def test_histogram_functions_give_the_numbers_of_opencv(shape, clip_limit, tiles):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is no dependency of the kit")
    rng = np.random.default_rng(4)
    images = rng.normal(rng.uniform(50, 200), 30, shape).clip(0, 255).astype(np.uint8)
    clahe = cv2.createCLAHE(clip_limit, tiles[::-1])
    for image in images:
        np.testing.assert_array_equal(fk.equalize_histogram(image), cv2.equalizeHist(image))
        result = fk.apply_clahe(image, clip_limit=clip_limit, tiles=tiles)
        np.testing.assert_array_equal(result, clahe.apply(image))


@pytest.mark.parametrize("size", [(5, 4), (19, 23)])
def test_resized_16_bits_are_resized_floats_rounded(size):
    images = np.random.default_rng(0).integers(1000, 60_000, (2, 9, 9), np.uint16)
    images[0, :4], images[1, :, 5:] = 1000, 59_999  # edges, beyond which the filter swings
    floats = fk.resize(images.astype(np.float64), size)
    np.testing.assert_array_equal(fk.resize(images, size), np.rint(floats))
    assert floats.dtype == np.float64
    for one, image in zip(floats, images, strict=True):
        assert image.min() <= one.min()
        assert one.max() <= image.max()
    assert (np.rint(floats) != floats).any()


def test_images_of_few_levels_are_standardized():
    steps = np.tile([[0.0, 2.0], [2.0, 0.0]], (5, 5))  # whose deviation is 1
    constant = np.full((10, 10), 0.1)
    expected = [steps - 1, np.zeros((10, 10))]
    np.testing.assert_array_equal(fk.standardize(np.stack([steps, constant])), expected)


def test_tiles_of_single_rows_and_the_usual_limit():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16), np.uint8)
    assert fk.apply_clahe(images, tiles=(16, 16)).shape == images.shape
    faces = fk.make_fer2013(n_samples=70, random_state=0).train.images[:2]
    images = fk.resize(faces, (144, 144))  # whose tiles have pixels enough for the limit to count
    usual = fk.apply_clahe(images)
    np.testing.assert_array_equal(usual, fk.apply_clahe(images, clip_limit=2.0, tiles=(8, 8)))
    assert (usual != fk.apply_clahe(images, clip_limit=3.0)).any()
