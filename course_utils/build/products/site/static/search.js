// Below each result an excerpt around the phrase that was looked for. Sphinx finds pages that hold
// all pairs of characters of the query; pages that hold every phrase itself come first, the others
// are taken away as soon as there is a page that does.
(function () {
  "use strict";
  const AROUND = 46;

  function phrases() {
    const query = new URLSearchParams(window.location.search).get("q") || "";
    return query.trim().split(/\s+/).filter(Boolean).map((word) => word.toLowerCase());
  }

  function excerpt(text, words) {
    const lower = text.toLowerCase();
    const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
    if (!places.length) return null;
    const first = Math.min(...places);
    const start = Math.max(0, first - AROUND);
    const end = Math.min(text.length, first + AROUND * 2);
    const line = document.createElement("p");
    line.className = "excerpt";
    append(line, (start ? "…" : "") + text.slice(start, end) + (end < text.length ? "…" : ""), words);
    return line;
  }

  function append(line, text, words) {
    const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    text.split(new RegExp("(" + escaped.join("|") + ")", "i")).forEach((part, number) => {
      const node = number % 2 ? document.createElement("mark") : document.createTextNode(part);
      if (number % 2) node.textContent = part;
      line.appendChild(node);
    });
  }

  function page(item) {
    const path = new URL(item.querySelector("a").href).pathname;
    return decodeURIComponent(path.slice(path.lastIndexOf("/") + 1)).replace(/\.html$/, "");
  }

  // headings of reference pages first (a term, a table), then lessons, then other pages, lists last
  function rank(item) {
    const name = page(item);
    if (/^m\d\d_n\d\d_/.test(name)) return 1;
    if (/^(index$|module-|training-)/.test(name)) return 3;
    return item.querySelector("a").hash ? 0 : 2;
  }

  // one result a page, with an excerpt
  function show(items, words) {
    const texts = window.courseTexts || {};
    const exact = items.filter((item) => {
      const text = (texts[page(item)] || "").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const seen = new Set();
    (exact.length ? exact : items).forEach((item) => {
      const name = page(item);
      if (seen.has(name)) return;
      seen.add(name);
      const line = excerpt(texts[name] || "", words);
      if (line) item.appendChild(line);
      item.classList.add("shown");
    });
    items.forEach((item) => { item.hidden = !item.classList.contains("shown"); });
    return seen.size;
  }

  function finished(box, words) {
    const status = box.querySelector(".search-summary");
    const items = Array.from(box.querySelectorAll("ul.search > li"));
    items.sort((one, other) => rank(one) - rank(other));
    items.forEach((item) => item.parentNode.appendChild(item));
    const count = show(items, words);
    status.textContent = count
      ? "找到 " + count + " 页。"
      : "没有找到“" + words.join(" ") + "”。请换一个说法，或者少写几个字再试。";
    try {
      localStorage.setItem("sphinx_highlight_terms", words.join(" "));
    } catch (error) { /* some browsers keep nothing for pages in a folder */ }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const words = phrases();
    const box = document.getElementById("search-results");
    if (!box || !words.length) return;
    const watcher = new MutationObserver(look);
    function look() {
      const status = box.querySelector(".search-summary");
      if (!status || !status.textContent) return;
      watcher.disconnect();
      finished(box, words);
    }
    watcher.observe(box, { childList: true, subtree: true, characterData: true });
    look(); // Sphinx may have finished already
  });
}());
