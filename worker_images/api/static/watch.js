// Plays the page's playlist: with hls.js where the browser has Media Source Extensions,
// natively otherwise (older iPhones).
"use strict";

(function () {
  const player = document.getElementById("player");
  const quality = document.getElementById("quality");
  const message = document.getElementById("message");
  const source = player.dataset.source;

  function tell(text) {
    message.textContent = text;
    message.hidden = text === "";
  }

  function offerQualities(hls) {
    hls.levels.forEach((level, index) => {
      const option = document.createElement("option");
      option.value = String(index);
      option.textContent = Math.min(level.width, level.height) + "p";
      quality.append(option);
    });
    quality.disabled = hls.levels.length < 2;
    quality.addEventListener("change", () => {
      hls.nextLevel = Number(quality.value);
    });
  }

  function playWithHlsJs() {
    let recoveries = 0;
    const hls = new window.Hls();
    hls.on(window.Hls.Events.MANIFEST_PARSED, () => offerQualities(hls));
    hls.on(window.Hls.Events.ERROR, (event, data) => {
      if (!data.fatal) return;
      if (data.type === window.Hls.ErrorTypes.MEDIA_ERROR && recoveries < 2) {
        recoveries += 1;
        hls.recoverMediaError();
        return;
      }
      hls.destroy();
      tell("영상을 불러오지 못했습니다. 잠시 후 페이지를 새로 고쳐 주세요.");
    });
    hls.loadSource(source);
    hls.attachMedia(player);
  }

  if (window.Hls && window.Hls.isSupported()) {
    playWithHlsJs();
  } else if (player.canPlayType("application/vnd.apple.mpegurl")) {
    player.addEventListener("error", () => tell("영상을 불러오지 못했습니다."));
    player.src = source;
  } else {
    tell("이 브라우저에서는 영상을 재생할 수 없습니다.");
  }
})();
