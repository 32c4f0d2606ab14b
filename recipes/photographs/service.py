"""A service that names the emotions in uploaded photographs, as the page on servers shows it.

OMP_NUM_THREADS=1 uvicorn service:app --workers 2

It needs FastAPI and python-multipart.
"""

from __future__ import annotations

# The page shows what follows.
import threading
from typing import Any

from fastapi import FastAPI, HTTPException, UploadFile

import fer2013kit as fk

app = FastAPI()
few = threading.Semaphore(2)  # photographs at a time
fk.analyze_photo(fk.sample_photos()[0])  # loads the networks


@app.post("/emotions")
def emotions(file: UploadFile) -> dict[str, Any]:
    """Return the faces of an upload."""
    try:
        with few:
            faces = fk.analyze_photo(file.file)
    except fk.MediaFileError as error:  # it says why: no image, damaged, too large
        raise HTTPException(415, str(error)) from error
    return {
        "width": faces.width,
        "height": faces.height,
        "faces": [face.as_dict() for face in faces],
    }
