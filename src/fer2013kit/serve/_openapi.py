"""What the page answers to programs, in the words of OpenAPI 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fer2013kit._version import __version__
from fer2013kit.faces import HeadPose
from fer2013kit.faces._emotion import LANDMARK_NAMES
from fer2013kit.faces._quality import QUALITY_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER: Final = {"type": "number"}
_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SHARE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_AFFECT: Final = {"type": "number", "minimum": -1, "maximum": 1}
_PIXELS: Final = {"type": "string", "contentEncoding": "base64"}

_REFUSALS: Final = {
    400: "There is no image, or it is damaged; or there is no such parameter, or no such value",
    403: "Another site's page asked",
    408: "The image took too long to come",
    413: "Too many megabytes or megapixels",
    415: "No image in a known format",
    422: "The photo took too long",
    501: "No explanations here",
    503: "Too many photos wait already; try again in a moment",
}
_FOREIGN: Final = {421: "The page is not known by this host name"}


def describe(models: Sequence[str], max_bytes: int) -> dict[str, Any]:
    """Return the description of all routes but the page and its files."""
    choices = [
        _parameter("model", {"enum": list(models), "default": models[0]}, "A name of /models"),
        _parameter("whole", {"type": "boolean", "default": False}, "Read all of it as one face"),
    ]
    of_face = [
        _parameter("face", _COUNT | {"default": 0}, "Its place in the answer of /analyze"),
        _parameter("emotion", _TEXT, "One of the model's; by default the most probable"),
    ]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fer2013kit serve",
            "version": __version__,
            "description": "Emotions of the faces in photos; nothing is stored.",
        },
        "paths": {
            "/health": {"get": _operation("health", "Whether it is up", "Health")},
            "/models": {"get": _operation("models", "The networks there are", "Models")},
            "/openapi.json": {"get": _operation("openapi", "This description", "Description")},
            "/analyze": {
                "post": _operation(
                    "analyze", "The faces in a photo and their emotions", "Photo", choices
                )
            },
            "/explain": {
                "post": _operation(
                    "explain", "What in a face supports an emotion", "Heat", [*choices, *of_face]
                )
            },
        },
        "components": {
            "schemas": _schemas(),
            "requestBodies": {
                "Image": {
                    "description": f"The bytes of an image file, at most {max_bytes:,}",
                    "required": True,
                    "content": {"application/octet-stream": {}, "image/*": {}},
                }
            },
        },
    }


def _operation(
    name: str, summary: str, answer: str, parameters: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    takes_image = bool(parameters)
    refusals = {**(_REFUSALS if takes_image else {}), **_FOREIGN}
    return {
        "operationId": name,
        "summary": summary,
        **({"parameters": list(parameters)} if parameters else {}),
        **({"requestBody": {"$ref": "#/components/requestBodies/Image"}} if takes_image else {}),
        "responses": {
            "200": _response("Done", answer),
            **{str(status): _response(text, "Error") for status, text in refusals.items()},
        },
    }


def _response(text: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}


def _parameter(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": text}


def _schemas() -> dict[str, Any]:
    point = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
    box = _object(left={"type": "integer"}, top={"type": "integer"}, width=_COUNT, height=_COUNT)
    face = _object(
        box=box,
        emotion=_TEXT,
        score=_SHARE,
        uncertain=_FLAG,
        quality={"type": "array", "items": {"enum": list(QUALITY_WORDS)}},
        probabilities={"type": "object", "additionalProperties": _SHARE},
    )
    face["properties"] |= {  # where they are known
        "landmarks": _object(**dict.fromkeys(LANDMARK_NAMES, point)),
        "valence": _AFFECT,
        "arousal": _AFFECT,
        "head_pose": _object(**dict.fromkeys(HeadPose._fields, _NUMBER)),
    }
    model = _object(
        name=_TEXT, title=_TEXT, explains=_FLAG, source={"type": ["string", "null"]}, own=_FLAG
    )
    return {
        "Error": _object(error=_TEXT),
        "Health": _object(status={"const": "ok"}, version=_TEXT, explains=_FLAG),
        "Models": _object(models={"type": "array", "items": model}),
        "Description": {"type": "object"},
        "Face": face,
        "Photo": _object(
            width=_COUNT,
            height=_COUNT,
            faces={"type": "array", "items": {"$ref": "#/components/schemas/Face"}},
        ),
        "Heat": _object(
            emotion=_TEXT,
            width=_COUNT,
            height=_COUNT,
            square=_object(left=_NUMBER, top=_NUMBER, side=_NUMBER),
            face=_PIXELS,
            heat=_PIXELS,
        ),
    }


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a dict with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
