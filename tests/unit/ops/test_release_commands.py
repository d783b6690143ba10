"""What a deploy to an account refuses before it asks anybody."""

from __future__ import annotations

import pytest

from ops import places
from ops.errors import UsageError
from ops.release_commands import require_checked_out
from ops.releases.origin import head


def test_images_of_another_commit_than_the_one_here_are_refused() -> None:
    if not head(places.ROOT):
        pytest.skip("no git checkout")
    with pytest.raises(
        UsageError, match="image_tag: '0123abc' is not allowed; allowed: the commit"
    ):
        require_checked_out("0123abc")


def test_the_images_of_this_commit_are_taken() -> None:
    require_checked_out(head(places.ROOT)[:12] or "anything: there is no git here")
