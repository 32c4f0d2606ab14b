"""Figures: confusion matrix, learning curve, faces, explanations, class balance, reliability, time.

Every function draws into one matplotlib Axes and returns it: into ``ax`` where one is given,
otherwise into that of a new figure.  matplotlib is imported when a function is called; its
settings and its backend stay as they are, and nothing is shown or saved.
"""

from fer2013kit.plotting._charts import plot_class_balance, plot_history, plot_reliability
from fer2013kit.plotting._confusion_matrix import plot_confusion_matrix
from fer2013kit.plotting._curves import plot_precision_recall, plot_risk_coverage, plot_roc
from fer2013kit.plotting._explanation import plot_explanation
from fer2013kit.plotting._faces import plot_samples
from fer2013kit.plotting._timeline import plot_timeline, plot_tracks

__all__ = [
    "plot_class_balance",
    "plot_confusion_matrix",
    "plot_explanation",
    "plot_history",
    "plot_precision_recall",
    "plot_reliability",
    "plot_risk_coverage",
    "plot_roc",
    "plot_samples",
    "plot_timeline",
    "plot_tracks",
]
