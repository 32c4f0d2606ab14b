"""Photographs: find faces, cut them out as FER-2013 did, name their emotions, draw the answer.

No TensorFlow is needed: NumPy, Pillow and LiteRT do the work.
"""

from fer2013kit.faces._analysis import analyze_crops, analyze_photo, analyze_photos
from fer2013kit.faces._annotation import annotate
from fer2013kit.faces._detector import FaceDetector
from fer2013kit.faces._emotion import FaceBox, FaceEmotion, PhotoFaces
from fer2013kit.faces._listing import find_photos
from fer2013kit.faces._naming import photo_views
from fer2013kit.faces._pose import HeadPose
from fer2013kit.faces._samples import sample_photos

__all__ = [
    "FaceBox",
    "FaceDetector",
    "FaceEmotion",
    "HeadPose",
    "PhotoFaces",
    "analyze_crops",
    "analyze_photo",
    "analyze_photos",
    "annotate",
    "find_photos",
    "photo_views",
    "sample_photos",
]
