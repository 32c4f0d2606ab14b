"""
What does augmentation do to an image?
======================================

During training, the network never sees the same image twice.  This is what it sees instead.
"""

# %%
# One face, augmented with the defaults, and with three times the rotation, zoom and shift plus
# random erasing, which is off by default.
import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk

face = fk.analyze_photo(fk.sample_photos()[0])[0].crop
batch = np.repeat(face[None, ..., None], 10, axis=0)
gentle = fk.FaceAugmentation(seed=0)
wild = fk.FaceAugmentation(
    rotation=36, zoom=0.36, shift=0.24, erasing=0.5, seed=0
)

fig, axes = plt.subplots(2, 10, figsize=(11, 2.6), layout="constrained")
for row, layer, title in zip(
    axes, (gentle, wild), ("defaults", "three times"), strict=True
):
    images = np.asarray(layer(batch, training=True))
    for ax, image in zip(row, images, strict=True):
        ax.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(title)
fig.suptitle("One face, augmented: with the defaults, and three times as much")
plt.show()

# %%
# The classifier takes the layer as ``augment``; it is inactive outside of training.
same = np.asarray(wild(batch, training=False))
print(bool((same == batch).all()))
clf = fk.EmotionClassifier(augment=wild)
