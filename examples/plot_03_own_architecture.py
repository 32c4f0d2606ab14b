"""
How do I plug in my own architecture?
=====================================

A builder is a function ``(input_shape, num_classes, **params)`` that returns an uncompiled Keras
model.  It works wherever the name of a shipped one does: in training, in a grid search, in a file.
"""

# %%
# Separable convolutions and no hidden dense layer make it tiny.  The network takes pixels from
# 0 to 255, so scaling is its first layer, and its last one computes in float32.
import keras
import matplotlib.pyplot as plt
from keras import layers
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit

import fer2013kit as fk


@fk.register_model("separable_cnn")
def separable_cnn(
    input_shape: tuple[int, int, int] = (48, 48, 1),
    num_classes: int = 7,
    width: int = 16,
) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = layers.Conv2D(width, 5, strides=2, use_bias=False)(x)
    for filters in (width, 2 * width, 4 * width):
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.SeparableConv2D(filters, 3, use_bias=False)(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    head = layers.Dense(num_classes, activation="softmax", dtype="float32")
    return keras.Model(inputs, head(x), name="separable_cnn")


print(fk.list_models())
print(f"{fk.create_model('separable_cnn').count_params():,} parameters")

# %%
# Its parameters are set through ``model_params``, and searched like any other.
data = fk.make_fer2013(n_samples=1050, random_state=0)
clf = fk.EmotionClassifier(
    "separable_cnn",
    optimizer="adam",
    learning_rate=0.01,
    epochs=8,
    batch_size=32,
    verbose=0,
    random_state=0,
)
search = GridSearchCV(
    clf,
    {"model_params": [{"width": 4}, {"width": 16}]},
    cv=StratifiedShuffleSplit(1, test_size=0.2, random_state=0),
)
search.fit(*data.train)
results = search.cv_results_
for params, score in zip(
    results["params"], results["mean_test_score"], strict=True
):
    print(params, f"accuracy {score:.2f}")

# %%
# A saved file holds the name of the architecture, not its code: to load it, register the
# builder first, or pass it to ``load``.
report = search.best_estimator_.evaluate(*data.test)
fk.plot_confusion_matrix(report)
plt.show()
