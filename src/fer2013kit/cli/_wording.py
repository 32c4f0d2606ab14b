"""Errors of the API in the words of the command line: its parameters as options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from fer2013kit.exceptions import OTHER_MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUE: Final = r"'[^']*'|\"[^\"]*\"|\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|[\w.+-]*\w"
_VERBS: Final = "must|needs?|is for"

_PHRASES: Final = {
    "label_map={label: emotion, or None to leave it out}": "--label-map LABEL=EMOTION "
    "(LABEL= leaves it out)",
    "label_map={folder name: emotion, or None to leave it out}": "--label-map NAME=EMOTION "
    "(NAME= leaves it out)",
    "label_map=dict(enumerate(fer2013kit.CLASS_NAMES))": "--label-map 0=angry, 1=disgust, 2=fear, "
    "3=happy, 4=sad, 5=surprise and 6=neutral",
    "Pass class_names in the order of your numbers, or read the file with "
    "label_map={number: emotion}": "Say what the numbers mean: --label-map NUMBER=EMOTION for each",
    "load_fer2013(path, resize=True)": "--resize",
    "groups need columns of this split": "--clusters needs columns of the data",
    "Split(..., columns={'subject': ...}) adds one": "an .npz of this kit keeps them, and of kdef, "
    "jaffe and ck+ (--label-map) the names of the images tell the subject",
    "images in <class>/ folders of their own are read by load_image_folder": "a folder of "
    "<class>/ folders is all for training; --label-map says what their names mean",
    "images of other sizes are read by load_image_folder": "--resize reads those of other sizes",
    "Pass one of these names, register your own with register_model, or pass the builder itself.": (
        "One of your own is registered by a module that `fer2013kit --plugin MODULE` imports."
    ),
    OTHER_MODELS: "expected a file of `train`, or the name of a network that ships",
    "an .npz written by FER2013.save": "an .npz of this kit",
    "fetch_fer2013() says where to get the data": "The data are at "
    "https://www.kaggle.com/datasets/msambare/fer2013 (a free account is needed)",
}
"""What the API advises, and how the same is done here."""


def in_options(message: str, names: Mapping[str, str]) -> str:
    """Return an error of the API in the words of a command.

    ``names`` says what its parameters are called on the command line.  A key of several words is a
    phrase: it is replaced wherever it stands; a name is replaced where it can be nothing else:
    before an equals sign, before its verb at the beginning of a sentence, and wherever it has an
    underscore.  ``quantization='int8' needs`` becomes ``--quantization int8 needs``.
    """
    for phrase, text in {**_PHRASES, **{k: v for k, v in names.items() if " " in k}}.items():
        message = message.replace(phrase, text)
    for name, option in names.items():
        if " " not in name:
            message = _replace_name(message, name, option)
    return re.sub(r"\(\w+(?:Error|Exception|File): ", "(", message)  # what Python calls an error


def _replace_name(message: str, name: str, option: str) -> str:
    def with_value(match: re.Match[str]) -> str:
        value = match[1].strip("'\"")
        return option if value == "True" else f"{option} {value}"

    before = r"(?<![\w./\\'\"-])"
    message = re.sub(rf"{before}{name}=({_VALUE})", with_value, message)
    message = re.sub(rf"(^|[;:,.] |\band ){name}(?= (?:{_VERBS})\b)", rf"\1{option}", message)
    if "_" in name:
        message = re.sub(rf"{before}{name}(?![\w/\\'\"(=-]|\.\w)", option, message)
    return message


def option_names(command: click.Command) -> dict[str, str]:
    """Return the option, or the word for the argument, of each parameter of a command."""
    names: dict[str, str] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            names[parameter.name or ""] = parameter.make_metavar(click.Context(command)).strip(
                "[]."
            )
        else:
            names[parameter.name or ""] = max(parameter.opts, key=len)
    return names
