"""
What is wrong with a data set?
==============================

Copies of training images in the test set inflate every metric, and FER-2013 has hundreds.
This example plants some among drawn faces, and finds them again.
"""

# %%
# Plant three faults: training faces copied into the test set, one of them with another
# label, and a blank image.
from typing import get_args

import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk
from fer2013kit.typing import LeakSide

data = fk.make_fer2013(n_samples=700, random_state=0)
copies = data.train.subset([3, 14, 15, 92])
labels = copies.labels.copy()
labels[0] = (labels[0] + 1) % 7
blank = fk.Split(np.full((1, 48, 48), 128), [fk.Emotion.NEUTRAL])
planted = data.test.concat(fk.Split(copies.images, labels), blank)
faulty = fk.FER2013(train=data.train, validation=data.validation, test=planted)

# %%
# The audit compares the pixels of all images, within a split and across them.  Faces that are
# merely similar are counted separately: among drawings, some are by chance.
report = fk.audit_dataset(faulty)
print(report.summary())

# %%
# Each finding is a row, so you can look at the images yourself.
findings = report.to_frame()
print(findings[findings["finding"] == "leak"])

leaks = faulty.test.subset(findings["index"][findings["finding"] == "leak"])
fk.plot_samples(*leaks)
plt.suptitle("Test images that are also in training")
plt.show()

# %%
# Drop leaks from the training set, so that metrics on the test set stay comparable, row for row;
# or from the test set, for a model that is already trained.
for side in get_args(LeakSide):
    clean = report.drop_leaks(side=side)
    print(f"from {side}: {len(clean.train)} train, {len(clean.test)} test")

# %%
# Also look at the class balance before training.
fk.plot_class_balance(faulty)
plt.show()
