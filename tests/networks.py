"""Small networks for tests."""

from functools import partial

import keras


def tiny_network(input_shape, num_classes, units=16):
    """Two fully-connected layers: trains in a moment on anything."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu", name="hidden"),
            keras.layers.Dense(num_classes, activation="softmax", dtype="float32"),
        ]
    )


class Builder:
    """A function of its own with every instance, as a newly started program has it."""

    def __init__(self, activation="relu", dropout=0.2, units=4):
        self.choices = activation, dropout, units

    def __call__(self, input_shape, num_classes, scale=1):
        activation, dropout, units = self.choices
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Rescaling(scale / 255),
                keras.layers.Conv2D(units, 3, strides=8, activation=activation),
                keras.layers.Flatten(),
                keras.layers.Dropout(dropout),
                keras.layers.Dense(num_classes, activation="softmax", dtype="float32"),
            ]
        )

    def as_function(self):
        def net(input_shape, num_classes, scale=1):
            return self(input_shape, num_classes, scale)

        return net


FORMS = {
    "function": Builder.as_function,
    "object": lambda builder: builder,
    "partial": lambda builder: partial(builder.as_function(), scale=2),
}
"""Ways to bring it, each new with every call."""


SMALL = {
    "deep_cnn": {"stem_filters": 4, "filters": (4, 8), "units": (1, 1), "dense_units": 8},
    "five_layer_cnn": {"filters": (4, 4, 4), "dense_units": 8},
    "preact_resnet": {"filters": (2, 4), "units": (1, 1)},
    "residual_cnn": {"stem_filters": 4, "filters": (4, 8), "dense_units": 8},
    "transfer": {"weights": None, "size": 32, "backbone_params": {"alpha": 0.35}},
    "vgg_10": {"filters": (2, 4, 4), "dense_units": 8},
}
"""Parameters with which the kit's architectures train in a moment, each by its name."""
