"""The part of curl that boot scripts use, for a machine that has no curl."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request

_TIMEOUT_S = 10.0
_SWITCHES = set("fsSL")


def main(arguments: list[str]) -> int:
    """Make one request and print its body; curl's exit codes (2, 7, 22)."""
    method, headers, retries, url = "GET", {}, 0, ""
    timeout_s = _TIMEOUT_S
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in {"-X", "--request"}:
            method = rest.pop(0)
        elif word in {"-H", "--header"}:
            name, _, value = rest.pop(0).partition(":")
            headers[name] = value.strip()
        elif word == "--retry":
            retries = int(rest.pop(0))
        elif word == "-m":
            timeout_s = float(rest.pop(0))
        elif word.startswith("-") and set(word[1:]) <= _SWITCHES:
            continue
        elif word.startswith("-"):
            sys.stderr.write(f"curl: option {word}: is unknown\n")
            return 2
        else:
            url = word
    for attempt in range(retries + 1):
        code = _request(url, method, headers, timeout_s)
        if code != 7 or attempt == retries:
            return code
        time.sleep(min(2.0**attempt, 10.0))
    return 7


def _request(url: str, method: str, headers: dict[str, str], timeout_s: float) -> int:
    if not url.startswith(("http://", "https://")):
        sys.stderr.write(f"curl: (3) {url!r} is no HTTP address\n")
        return 3
    request = urllib.request.Request(url, headers=headers, method=method)  # noqa: S310 (checked)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 (as above)
            sys.stdout.buffer.write(answer.read())
            sys.stdout.flush()
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"curl: (22) The requested URL returned error: {error.code}\n")
        return 22
    except OSError as error:
        sys.stderr.write(f"curl: (7) {error}\n")
        return 7
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
