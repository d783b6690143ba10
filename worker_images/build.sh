#!/usr/bin/env bash
# Builds the images on this machine, in the order of document 001: the base first.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly KINDS=(base api video ai messaging)

usage() {
  cat <<'END'
usage: worker_images/build.sh [--tag TAG] [IMAGE]

Builds academy-base, academy-api, academy-video-worker, academy-ai-worker and
academy-messaging-worker, in this order, for this machine's own architecture.

  IMAGE       base, api, video, ai or messaging: that one alone; all but base need the base
  --tag TAG   instead of the commit's first 12 digits, which end in -dirty where files changed
  --help      this text

Exit codes: 0 built, 1 a build failed, 2 wrong usage, 3 something that a build needs is missing.
END
}

stop() {
  echo "build.sh: $2" >&2
  exit "$1"
}

name_of() {
  case $1 in
    base | api) echo "academy-$1" ;;
    *) echo "academy-$1-worker" ;;
  esac
}

commit() {
  local dirty=""
  [ -z "$(git status --porcelain)" ] || dirty=-dirty
  echo "$(git rev-parse --short=12 HEAD)$dirty"
}

# What the Dockerfiles copy, and nothing of what else lies here.
context() {
  local files=(config worker_images)
  [ "$1" != api ] || files+=(node_modules/hls.js/dist/hls.min.js)
  tar --create --exclude __pycache__ "${files[@]}"
}

needs() {
  command -v docker >/dev/null || stop 3 "docker is missing"
  docker version >/dev/null 2>&1 || stop 3 "no container engine answers; is dockerd running?"
  [ "$1" = base ] || docker image inspect "academy-base:$tag" >/dev/null 2>&1 ||
    stop 3 "academy-base:$tag is missing, and $(name_of "$1") is built on it; first: $0 --tag $tag base"
  [ "$1" != api ] || [ -e node_modules/hls.js/dist/hls.min.js ] ||
    stop 3 "the player that the API serves is missing; first: npm ci --ignore-scripts"
}

build() {
  local image
  image=$(name_of "$1"):$tag
  echo "build.sh: $image"
  context "$1" | docker build --quiet --file "worker_images/$1/Dockerfile" \
    --build-arg BASE_IMAGE="academy-base:$tag" --tag "$image" - || stop 1 "$image was not built"
}

tag=""
wanted=("${KINDS[@]}")
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --tag) [ $# -gt 1 ] || stop 2 "--tag needs a tag"; tag=$2; shift ;;
    base | api | video | ai | messaging) wanted=("$1") ;;
    *) usage >&2; stop 2 "$1 is unknown" ;;
  esac
  shift
done
tag=${tag:-$(commit)}

for kind in "${wanted[@]}"; do
  needs "$kind"
  build "$kind"
done
