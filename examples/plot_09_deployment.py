"""
How small can a network be made for deployment?
===============================================

The same network as a LiteRT file, with 32-bit and with 8-bit weights: size and accuracy.
"""

# %%
# Each export is run once, and its predictions are compared with the network's own.
import tempfile
from pathlib import Path
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk

clf = fk.EmotionClassifier.from_pretrained("five_layer_cnn_small")
faces = fk.make_fer2013(n_samples=140, random_state=0).train.images
truth = clf.predict_proba(faces)
quantizations: tuple[Literal["dynamic"] | None, ...] = (None, "dynamic")
folder = tempfile.TemporaryDirectory()
sizes, differences = [], []
for quantization in quantizations:
    path = Path(folder.name, f"{quantization}.tflite")
    report = clf.export(path, quantization=quantization)
    # What an app does, without TensorFlow:
    predictor = fk.EmotionPredictor.load(path)
    answers = predictor.predict_proba(faces)
    sizes.append(report.n_bytes / 1e6)
    differences.append(np.abs(answers - truth).max())
folder.cleanup()

# %%
# A quarter of the size; your own test set shows whether the difference matters.
names = ["float32", "8 bits"]
fig, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
axes[0].barh(names, sizes)
axes[0].set(xlabel="megabytes", xlim=0)
axes[1].barh(names, differences)
axes[1].set(xlabel="largest difference of a probability", xlim=0)
fig.suptitle("What 8 bits save, and what they cost")
plt.show()
