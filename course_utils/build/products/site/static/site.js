// A sentence for browsers that are too old for these pages, and a second look at text that was drawn
// before the course's font had been read. Written for the oldest of browsers.
(function () {
  "use strict";
  function modern() {
    return Boolean(window.CSS && CSS.supports && CSS.supports("color", "var(--x)") &&
      CSS.supports("display", "grid") && String.prototype.replaceAll && window.URLSearchParams);
  }
  function warn() {
    var note = document.createElement("p");
    note.className = "site-warning";
    note.setAttribute("role", "alert");
    note.appendChild(document.createTextNode(
      "这个浏览器版本太旧：文字照常能看，目录、搜索和夜间模式可能用不了。请换新版的 Edge、Chrome 或 360 浏览器（极速模式）打开。"
    ));
    document.body.insertBefore(note, document.body.firstChild);
  }
  // Chromium remembers the empty boxes it drew for lack of a font; another way of drawing is another
  // entry in its memory
  if (document.fonts && document.fonts.addEventListener) {
    document.fonts.addEventListener("loadingdone", function () {
      document.documentElement.classList.add("font-read");
    });
  }
  if (!modern()) {
    if (document.body) { warn(); } else { document.addEventListener("DOMContentLoaded", warn); }
  }
}());
