"""A classifier whose answer is known, for tests of what is done with answers."""

import numpy as np

HAPPY, SAD = 3, 4


class Brightness:
    """Bright faces are happy, dark ones sad."""

    def predict_proba(self, X):
        share = np.asarray(X, np.float32).reshape(len(X), -1).mean(axis=1) / 255
        table = np.zeros((len(X), 7), np.float32)
        table[:, HAPPY], table[:, SAD] = share, 1 - share
        return table
