import copy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import fer2013kit as fk
from fits import Interrupt, assert_same_weights, make_classifier, weights_of
from networks import tiny_network

CONVOLUTIONS = ("conv1", "norm1", "conv2", "norm2", "conv3", "norm3")


@pytest.fixture(scope="module")
def data():
    return fk.make_fer2013(n_samples=210, random_state=0)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "emotions.fer"
    make_classifier(epochs=1, augment=False).fit(*data.train).save(path)
    return path


def make_tiny(**changes):
    """For what no convolution changes."""
    quick = {"model": tiny_network, "model_params": None, "epochs": 1, "augment": False}
    return make_classifier(**{**quick, **changes})


def again(trained, **changes):
    changes = {"warm_start": True, "epochs": 1, "augment": False, "verbose": 0, **changes}
    return fk.EmotionClassifier.load(trained).set_params(**changes)


def layer_weights(classifier, *names):
    layers = [classifier.model_.get_layer(name) for name in names]
    return [weight for layer in layers for weight in layer.get_weights()]


def test_a_fit_without_learning_shows_where_it_began(data, trained):
    begun = weights_of(fk.EmotionClassifier.load(trained))
    still = {"learning_rate": 1e-12, "weight_decay": 0.0, "freeze": "convolutions"}
    clf = again(trained, **still).fit(*data.train)
    for name in ("conv1", "dense1", "dense2"):
        for one, other in zip(
            layer_weights(clf, name),
            layer_weights(fk.EmotionClassifier.load(trained), name),
            strict=True,
        ):
            np.testing.assert_allclose(one, other, atol=1e-6)
    with pytest.warns(fk.Fer2013KitWarning, match="not used"):
        anew = again(trained, warm_start=False, **{**still, "freeze": None}).fit(*data.train)
    assert not np.allclose(weights_of(anew)[0], begun[0])


def test_a_second_fit_goes_on_only_when_asked(data):
    clf = make_tiny().fit(*data.train)
    first = weights_of(clf)
    clf.set_params(warm_start=True).fit(*data.train)
    assert not np.array_equal(weights_of(clf)[0], first[0])
    clf.set_params(warm_start=False).fit(*data.train)
    np.testing.assert_array_equal(weights_of(clf)[0], first[0])


def test_a_clone_says_that_it_begins_anew(data, trained):
    clf = again(trained)
    with pytest.warns(fk.Fer2013KitWarning, match=r"no trained weights, .* copy.deepcopy"):
        scores = cross_val_score(clf, *data.train, cv=2)
    assert len(scores) == 2
    frozen = again(trained, freeze="convolutions")
    with pytest.warns(fk.Fer2013KitWarning, match="no trained weights"):
        twin = clone(frozen)
    with pytest.raises(fk.InvalidInputError, match="a clone, as cross_val_score makes, has none"):
        twin.fit(*data.train)
    copy.deepcopy(frozen).fit(*data.train)
    clone(again(trained, warm_start=False))
    clone(clone(make_classifier(warm_start=True)))


def test_warm_start_on_nothing_is_a_plain_fit(data):
    first, second = (make_tiny(warm_start=warm).fit(*data.train) for warm in (True, False))
    assert_same_weights(first, second)
    assert clone(make_classifier(warm_start=True)).get_params()["warm_start"] is True


def test_frozen_convolutions_stay_and_the_rest_learns(data, trained, tmp_path):
    before = fk.EmotionClassifier.load(trained)
    clf = again(trained, freeze="convolutions").fit(*data.train)
    for one, other in zip(
        layer_weights(clf, *CONVOLUTIONS), layer_weights(before, *CONVOLUTIONS), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    dense = layer_weights(clf, "dense1")[0], layer_weights(before, "dense1")[0]
    assert not np.array_equal(*dense)
    assert all(layer.trainable for layer in clf.model_.layers)
    clf.save(tmp_path / "tuned.fer")
    same = fk.EmotionClassifier.load(tmp_path / "tuned.fer")
    np.testing.assert_array_equal(
        same.predict_proba(data.test.images), clf.predict_proba(data.test.images)
    )


def test_other_classes_get_a_new_last_layer(data, trained, caplog):
    before = fk.EmotionClassifier.load(trained)
    names = np.where(data.train.labels == fk.Emotion.HAPPY, "smile", "no smile")
    with caplog.at_level("INFO", logger="fer2013kit"):
        clf = again(trained, freeze="convolutions").fit(data.train.images, names)
    assert "last layer begins anew" in caplog.text
    assert clf.class_names_ == ("no smile", "smile")
    np.testing.assert_array_equal(layer_weights(clf, "conv1"), layer_weights(before, "conv1"))


def test_words_among_the_names_of_a_network_go_by_themselves(data):
    eight = (*fk.CLASS_NAMES, "contempt")
    named = make_tiny(class_names=eight, warm_start=True).fit(*data.train)
    for known in (eight, fk.CLASS_NAMES, ("happy", "sad")):
        words = [known[code % len(known)] for code in range(len(data.train.labels))]
        clf = copy.copy(named).fit(data.train.images, words)
        assert clf.class_names_ == tuple(clf.classes_) == tuple(sorted(known))


@pytest.mark.parametrize("n_classes", [3, 8])
def test_names_of_a_network_are_not_given_to_other_words(n_classes, data):
    eight = (*fk.CLASS_NAMES, "contempt")
    clf = make_tiny(class_names=eight, warm_start=True).fit(*data.train)
    words = [f"mood {number % n_classes}" for number in range(len(data.train.labels))]
    with pytest.raises(fk.InvalidInputError, match=r"set_params\(class_names=None\) lets"):
        clf.fit(data.train.images, words)
    clf.set_params(class_names=None).fit(data.train.images, words)
    assert clf.class_names_ == tuple(sorted(set(words)))
    own = [word.upper() for word in clf.class_names_]
    assert clf.set_params(class_names=own).fit(data.train.images, words).class_names_ == (*own,)


def test_fewer_labels_keep_the_classes(data, trained):
    some = data.train.labels != fk.Emotion.DISGUST
    clf = again(trained).fit(data.train.images[some], data.train.labels[some])
    assert clf.classes_.tolist() == list(range(7))
    clf = again(trained, classes=[3, 4])
    two = np.isin(data.train.labels, [3, 4])
    assert clf.fit(data.train.images[two], data.train.labels[two]).classes_.tolist() == [3, 4]


def test_resumed_run_ends_where_the_unbroken_one_does(data, trained, tmp_path):
    settings = {"epochs": 3, "freeze": "convolutions"}
    whole = again(trained, **settings).fit(*data.train)
    broken = again(trained, checkpoint_dir=tmp_path, **settings)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(*data.train, callbacks=[Interrupt(2)])
    assert_same_weights(again(trained, checkpoint_dir=tmp_path, **settings).fit(*data.train), whole)


def test_checkpoint_of_another_beginning_is_refused(data, trained, tmp_path):
    again(trained, checkpoint_dir=tmp_path).fit(*data.train)
    with pytest.raises(fk.InvalidInputError, match="other settings or other data"):
        make_classifier(epochs=1, checkpoint_dir=tmp_path, warm_start=True).fit(*data.train)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warm_start": False, "freeze": "convolutions"}, "needs trained ones"),
        ({"freeze": "everything"}, "freeze must be"),
        ({"warm_start": "yes"}, "warm_start must be True or False; received 'yes'"),
        ({"model_params": {"filters": (4, 8, 8), "dense_units": 32}}, "do not fit"),
        ({"model": tiny_network, "model_params": None}, "do not fit"),
    ],
)
def test_what_cannot_be_continued_is_refused(data, trained, changes, message):
    with pytest.raises(fk.InvalidInputError, match=message):
        again(trained, **changes).fit(*data.train)


def test_freezing_needs_a_fully_connected_layer(data):
    import keras

    def without(input_shape, num_classes):
        inputs = keras.Input(input_shape)
        x = keras.layers.Rescaling(1 / 255)(inputs)
        x = keras.layers.Conv2D(num_classes, 3, strides=8)(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, keras.layers.Softmax(dtype="float32")(x))

    clf = fk.EmotionClassifier(without, epochs=1, augment=False, verbose=0).fit(*data.train)
    with pytest.raises(fk.InvalidInputError, match="the network has none"):
        clf.set_params(warm_start=True, freeze="convolutions").fit(*data.train)


def test_weights_of_a_file_that_a_fit_does_not_use_are_named(data, trained):
    def anew(classifier):
        with pytest.warns(fk.Fer2013KitWarning, match=r"weights of .*fer are not used: .*warm_st"):
            return classifier.set_params(epochs=1, augment=False, verbose=0).fit(*data.train)

    clf = anew(fk.EmotionClassifier.load(trained))
    clf.fit(*data.train)  # its own weights, which fit replaces as everywhere in scikit-learn
    again(trained).fit(*data.train)
    with pytest.warns(fk.Fer2013KitWarning, match="not used"):
        fk.tune(
            fk.EmotionClassifier.load(trained).set_params(epochs=1, augment=False, verbose=0),
            data,
            space={"learning_rate": [0.01]},
            n_trials=1,
        )
