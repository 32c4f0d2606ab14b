"""
Does it fail more often in some groups?
=======================================

One accuracy hides much.  A report can hold one for each light, source, age group or camera.
"""

# %%
# Faces from two photographs, in full light and in a tenth of it, each cropped slightly differently.
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import fer2013kit as fk

predictor = fk.load_predictor()
faces, groups, labels = [], [], []
for path, label in zip(fk.sample_photos(), ("happy", "neutral"), strict=True):
    (found,) = fk.analyze_photo(path, classifier=predictor)
    left, top, width, height = found.box
    photo = Image.open(path).convert("L")
    for step in range(-6, 7, 2):
        box = (left + step, top, left + width + step, top + height)
        face = np.asarray(photo.crop(box).resize((48, 48)))
        faces += [face, face // 10]
        groups += ["full light", "a tenth"]
        labels += [label, label]

# %%
# The metrics of each group, with intervals that show how little so few images prove.
report = fk.evaluate_predictions(
    labels, predictor.predict_proba(np.array(faces)), groups=groups
)
table = report.groups_to_frame()
print(table[["n_samples", "accuracy"]].round(2))
print(report.largest_gap)

fig, ax = plt.subplots(figsize=(6, 2), layout="constrained")
ax.barh(table.index, table["accuracy"])
ax.set(xlabel="accuracy", xlim=(0, 1))
ax.set_title("Accuracy in each group")
plt.show()
