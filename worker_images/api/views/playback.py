"""The page that plays a video. The link is the permission; it names one video."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config.contracts.states import VideoState
from config.contracts.storage_keys import (
    IMMUTABLE,
    MASTER_PLAYLIST,
    NO_CACHE,
    THUMBNAIL,
    content_type,
    hls_prefix,
)
from worker_images.api import assets, playback, ports
from worker_images.api.cdn import CookieSigner
from worker_images.api.models import Video
from worker_images.base.storage import ObjectNotFoundError

#: What a page without a video says: its heading, and what to do.
_EXPIRED = ("링크가 만료되었습니다", "강의 화면에서 영상을 다시 열어 주세요.")
_UNKNOWN = (
    "영상을 찾을 수 없습니다",
    "링크가 잘렸거나 잘못되었습니다. 강의 화면에서 영상을 다시 열어 주세요.",
)
_PREPARING = (
    "영상을 준비하고 있습니다",
    "인코딩이 끝나면 볼 수 있습니다. 잠시 후 이 페이지를 새로 고쳐 주세요.",
)
_FAILED = (
    "영상을 재생할 수 없습니다",
    "인코딩하지 못한 영상입니다. 선생님이나 학원에 알려 주세요.",
)


@require_safe
def watch(request: HttpRequest, token: str) -> HttpResponse:
    """The page. Its policy allows its own scripts and, for segments, the store's address.

    Behind CloudFront playlists and segments come from there, to whoever has this page's cookies.

    Where there is nothing to play a page says why: 404, 403 for an old link, 409 for a video
    that is not ready.
    """
    try:
        video = playback.video_of(token)
    except playback.LinkExpired:
        return _notice(request, _EXPIRED, 403)
    if video is None:
        return _notice(request, _UNKNOWN, 404)
    if video.state != VideoState.READY:
        failed = video.state == VideoState.FAILED
        return _notice(request, _FAILED if failed else _PREPARING, 409)
    folder = hls_prefix(video.tenant_id, video.pk)
    if signer := settings.API.playback:
        return _with_cookies(request, _page(request, video, f"/{folder}", ""), f"/{folder}", signer)
    store = urlsplit(ports.storage().presign_get(folder + MASTER_PLAYLIST, expires_s=1))
    return _page(request, video, "hls/", f"{store.scheme}://{store.netloc}")


@require_safe
def hls(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """Playlists and thumbnails' index are passed on; anything else comes from the store itself."""
    try:
        key = playback.object_key(_video(token), name)
    except playback.LinkExpired:
        return HttpResponse("link expired", status=403, content_type="text/plain")
    if key is None:
        raise Http404
    if not playback.names_others(key):
        return _redirect(key)
    try:
        content = ports.storage().get(key)
    except ObjectNotFoundError as error:
        raise Http404 from error
    response = HttpResponse(content, content_type=content_type(key))
    response["Cache-Control"] = NO_CACHE
    return response


@require_safe
def asset(request: HttpRequest, digest: str, name: str) -> HttpResponse:
    """A file of the page. Another digest is another release's file, so it is a 404."""
    found = assets.asset(name)
    if found is None or found.digest != digest:
        raise Http404
    response = HttpResponse(found.content, content_type=found.content_type)
    response["Cache-Control"] = IMMUTABLE
    return response


def _page(request: HttpRequest, video: Video, folder: str, store: str) -> HttpResponse:
    """Return the page that plays what lies in `folder`, and may load from `store` besides."""
    context = {
        "title": video.title,
        "master": f"{folder}{MASTER_PLAYLIST}",
        "poster": f"{folder}{THUMBNAIL}",
        **_addresses("watch.css", "watch.js", "hls.min.js"),
    }
    return _guarded(render(request, "watch.html", context), _policy(store))


def _with_cookies(
    request: HttpRequest, response: HttpResponse, path: str, signer: CookieSigner
) -> HttpResponse:
    """Add the cookies for the video's own folder, which the browser shows to nothing else.

    They end with the browser, so that a shared computer keeps no permission.
    """
    until = int(time.time()) + playback.COOKIE_MAX_AGE_S
    found = signer.cookies(request.build_absolute_uri(path), until=until)
    for name, value in found.items():
        response.set_cookie(name, value, path=path, secure=True, httponly=True, samesite="Lax")
    return response


def _video(token: str) -> Video:
    video = playback.video_of(token)
    if video is None:
        raise Http404
    return video


def _redirect(key: str) -> HttpResponseRedirect:
    max_age_s = playback.SEGMENT_URL_MAX_AGE_S
    response = HttpResponseRedirect(ports.storage().presign_get(key, expires_s=max_age_s))
    response["Cache-Control"] = f"private, max-age={max_age_s // 2}"
    return response


def _notice(request: HttpRequest, text: tuple[str, str], status: int) -> HttpResponse:
    heading, advice = text
    context = {"heading": heading, "advice": advice, **_addresses("watch.css")}
    return _guarded(render(request, "notice.html", context, status=status), _policy(""))


def _guarded(response: HttpResponse, policy: str) -> HttpResponse:
    response["Content-Security-Policy"] = policy
    response["Cache-Control"] = "private, no-store"
    return response


def _addresses(*names: str) -> dict[str, str]:
    return {name.split(".")[0] + "_" + name.rsplit(".")[-1]: assets.address(name) for name in names}


def _policy(store: str) -> str:
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {store}; "
        f"img-src 'self' {store}; media-src 'self' blob: {store}; worker-src blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
