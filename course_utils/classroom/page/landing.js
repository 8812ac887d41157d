/* Landing page. Old syntax on purpose: an old browser must get far enough to be told so. */
(function () {
  "use strict";
  function byId(id) { return document.getElementById(id); }
  function show(node, visible) { if (node) { node.hidden = !visible; node.style.display = visible ? "" : "none"; } }

  var modern = typeof WebAssembly === "object" && typeof BigInt === "function" &&
    typeof Worker === "function" && typeof fetch === "function" && typeof globalThis === "object" &&
    typeof indexedDB !== "undefined" && "noModule" in document.createElement("script");
  show(byId("old"), !modern);
  if (!modern && byId("open")) { byId("open").className = ""; }

  var form = byId("join");
  if (!form) { return; }

  function ask(method, what, content, done) {
    var request = new XMLHttpRequest();
    request.open(method, "class/" + what);
    request.timeout = 8000;
    request.setRequestHeader("Content-Type", "application/json");
    request.onload = function () {
      var answer = {};
      try { answer = JSON.parse(request.responseText); } catch (ignore) { answer = {}; }
      done(request.status, answer);
    };
    request.onerror = request.ontimeout = function () { done(0, {}); };
    request.send(content === null ? null : JSON.stringify(content));
  }

  function seated(seat) {
    show(form, !seat);
    show(byId("joined"), Boolean(seat));
    byId("myseat").textContent = seat || "";
  }

  function say(text) { byId("answer").textContent = text; }

  function join(seat, again) {
    say("正在加入……");
    ask("POST", "join", { seat: seat, again: again }, function (status, answer) {
      if (status === 200) { say(""); seated(answer.seat); return; }
      if (answer.error === "taken") {
        say("");
        if (window.confirm(answer.message + "确实是你（换了电脑或浏览器）吗？\n是：点“确定”。不是：点“取消”，核对座位号。")) {
          join(seat, true);
        }
        return;
      }
      say(answer.message || "连不上讲师的电脑：请确认连的是教室的网络，再点一次。");
    });
  }

  function leave(erase) {
    ask("POST", "leave", { erase: erase }, function (status, answer) {
      if (status === 200) {
        seated("");
        say(erase ? "已退出，记录已删除。" : "已退出，不会再发出进度。");
      } else {
        say(answer.message || "连不上讲师的电脑，请再点一次。");
      }
    });
  }

  form.onsubmit = function (happening) {
    happening.preventDefault();
    join(byId("seat").value, false);
  };
  byId("leave").onclick = function () { leave(false); };
  byId("erase").onclick = function () { leave(true); };
  ask("GET", "me", null, function (status, answer) { if (status === 200) { seated(answer.seat); } });
}());
