"""What was heard so far, kept in the AI bucket: a worker that goes costs a minute of hearing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from config.contracts.storage_keys import NO_CACHE, ai_prefix
from worker_images.ai.subtitles.speech import Word
from worker_images.base.storage import ObjectNotFoundError, Storage


@dataclass(frozen=True)
class Heard:
    """The words of the first `until_s` seconds."""

    until_s: float = 0.0
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """One job's object; `version` is the video's, so that another upload starts anew."""

    storage: Storage
    key: str
    version: str

    def load(self) -> Heard:
        """Return what an earlier attempt heard of this very video, nothing without one."""
        try:
            fields = json.loads(self.storage.get(self.key))
        except ObjectNotFoundError:
            return Heard()
        if fields["version"] != self.version:
            return Heard()
        return Heard(fields["until_s"], tuple(Word(**word) for word in fields["words"]))

    def save(self, until_s: float, words: Sequence[Word]) -> None:
        """Keep what was heard until an utterance's end."""
        fields = {
            "version": self.version,
            "until_s": until_s,
            "words": [word.values for word in words],
        }
        with TemporaryDirectory(prefix="subtitles-") as folder:
            path = Path(folder, "heard.json")
            path.write_text(json.dumps(fields, ensure_ascii=False), "utf-8")
            self.storage.put_file(
                self.key, path, content_type="application/json", cache_control=NO_CACHE
            )

    def clear(self) -> None:
        """Forget it."""
        self.storage.delete(self.key)


def checkpoint_key(tenant_id: int, job_id: str) -> str:
    """Return where a job's checkpoint lies in the AI bucket."""
    return f"{ai_prefix(tenant_id)}work/{job_id}/heard.json"
