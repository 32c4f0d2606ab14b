"""Small networks for tests."""

import keras


def tiny_network(input_shape, num_classes, units=16):
    """Two fully-connected layers: trains in a moment on anything."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(num_classes, activation="softmax", dtype="float32"),
        ]
    )
