"""
How sure were the people who labelled the images?
=================================================

FER+ asked ten people about each image; their votes make better labels than one word.
"""

# %%
# Votes of ten people for eight emotions, unknown and "not a face", as in ``fer2013new.csv``.
import matplotlib.pyplot as plt
import numpy as np

import fer2013kit as fk

random = np.random.default_rng(0)
labels = fk.make_fer2013(n_samples=300, random_state=0).train.labels
# Simulated: most votes are for the label, the others for neutral.
shares = np.full((len(labels), 10), 0.02)
shares[:, fk.Emotion.NEUTRAL] += 0.25
clear = random.uniform(0.1, 1, len(labels))
shares[np.arange(len(labels)), labels] += clear
shares /= shares.sum(axis=1, keepdims=True)
votes = fk.FERPlus([random.multinomial(10, row) for row in shares])

# %%
# The majority label, if there is one (otherwise -1), and all votes as soft labels.
majority = votes.majority(n_classes=7)
print(f"{np.mean(majority >= 0):.0%} have a majority")
print(f"{np.mean(majority == labels):.0%} have that of the data set")
print(votes.probabilities(n_classes=7)[0].round(2))

# %%
# How many of the ten agree with the label?  ``fit`` takes the soft labels as they are.
print(
    f"{votes.agreement(labels):.0%} of the images have the label of most people"
)
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
shares = votes.probabilities(n_classes=7)[np.arange(len(labels)), labels]
ax.hist(shares, bins=[place / 10 - 0.05 for place in range(12)], rwidth=0.9)
ax.set(xlabel="share of votes for the label", ylabel="images")
ax.set_title("How many voters agree with the label")
plt.show()
