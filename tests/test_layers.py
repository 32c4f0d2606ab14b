"""Walking through the layers of networks, and replacing what one computes."""

import keras
import pytest

from fer2013kit._layers import replaced_call, walk_layers


@pytest.fixture
def nested():
    """Return a network that holds another one, and shares a layer with it."""
    shared = keras.layers.Dense(3, name="shared")
    inner = keras.Sequential([keras.Input((3,)), shared, keras.layers.ReLU(name="relu")])
    return keras.Sequential([keras.Input((3,)), shared, inner, keras.layers.Dense(2, name="last")])


def test_inner_layers_follow_their_network_and_none_comes_twice(nested):
    names = [layer.name for layer in walk_layers(nested.layers)]
    assert names == ["shared", nested.layers[1].name, "relu", "last"]


def test_replaced_call_ends_with_the_block(nested):
    layer, zeros = nested.layers[-1], keras.ops.zeros((1, 3))
    layer.bias.assign([1.0, 2.0])

    def fail(inputs):
        raise KeyError(inputs.shape)

    with pytest.raises(KeyError), replaced_call(layer, fail):
        layer(zeros)
    assert keras.ops.convert_to_numpy(layer(zeros)).tolist() == [[1, 2]]
    assert "call" not in vars(layer)


def test_replacements_nest(nested):
    layer, zeros = nested.layers[-1], keras.ops.zeros((1, 3))
    with replaced_call(layer, lambda inputs: inputs + 1):
        with replaced_call(layer, lambda inputs: inputs + 2):
            assert float(layer(zeros)[0, 0]) == 2
        assert float(layer(zeros)[0, 0]) == 1
