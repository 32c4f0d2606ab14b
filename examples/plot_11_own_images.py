"""
How do I use my own folders of images?
======================================

One folder for each emotion is all it takes; sizes, colours and file formats may differ.
"""

# %%
# A data set as people have it: PNG and JPEG, in colour, each of another size.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import fer2013kit as fk

folder = tempfile.TemporaryDirectory()
drawn = fk.make_fer2013(n_samples=105, random_state=0).train
random = np.random.default_rng(0)
for number, (face, label) in enumerate(zip(*drawn, strict=True)):
    place = Path(folder.name, fk.CLASS_NAMES[label])
    place.mkdir(exist_ok=True)
    side = int(random.integers(60, 120))
    ending = ("png", "jpg")[number % 2]
    picture = Image.fromarray(face[..., 0]).convert("RGB").resize((side, side))
    picture.save(place / f"{number}.{ending}")

# %%
# They become grey faces of 48x48 pixels with the labels of FER-2013.  ``label_map`` reads other
# words, ``image_shape`` keeps colour or another size.
split = fk.load_image_folder(folder.name, cache=False)
folder.cleanup()
print(split.images.shape, split.images.dtype)
print(fk.class_counts(split.labels))
fk.plot_samples(*split, n=14, random_state=0)
plt.suptitle("Fourteen images of the folder")
plt.show()

# %%
# Split into training and validation; the rest is as in the other examples.
data = fk.FER2013(train=split).split_validation(0.2, random_state=0)
print(data.summary())
