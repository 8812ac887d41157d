/* The room: asks for room.json every few seconds and draws it. No other address is ever asked. */
(() => {
  "use strict";
  const EVERY = 3000;
  const STATES = {
    right: ["✓", "做对"], carried: ["↷", "用了参考结果"], wrong: ["✗", "还不对，在试"],
    begun: ["…", "打开过，还没有作答"], stuck: ["!!", "卡住"], quiet: ["?", "没动静"],
    broken: ["⚠", "检查程序出错"], none: ["·", "还没开始"],
  };
  const LEVELS = { now: "▲ 现在", soon: "● 留意", fine: "✓ 顺利" };
  const byId = (id) => document.getElementById(id);
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const fill = (node, children) => node.replaceChildren(...children);

  let projector = new URLSearchParams(location.search).get("view") === "projector";
  let lastGood = null;

  const asked = () => {
    const wanted = new URLSearchParams();
    if (byId("lesson").value) wanted.set("lesson", byId("lesson").value);
    if (projector) wanted.set("view", "projector");
    return `room.json?${wanted}`;
  };

  function drawChoices(view) {
    const chosen = byId("lesson").value;
    const options = [["", "跟随全班"], ...view.lessons.map((one) =>
      [one.key, `${one.key} ${one.title === one.key ? "" : one.title}（${one.here} 人）`])];
    const wanted = options.map((pair) => pair.join("|")).join("\n");
    if (byId("lesson").dataset.options === wanted) return;
    byId("lesson").dataset.options = wanted;
    fill(byId("lesson"), options.map(([value, text]) => {
      const option = make("option", "", text);
      option.value = value;
      return option;
    }));
    byId("lesson").value = options.some(([value]) => value === chosen) ? chosen : "";
  }

  function drawAdvice(view) {
    byId("advice-part").hidden = projector;
    const items = view.advice.map((one) => {
      const item = make("li", one.level);
      item.append(make("span", "tag", LEVELS[one.level]), one.text);
      if (one.seats && one.seats.length) item.append(make("span", "seats", `座位：${one.seats.join("、")}`));
      return item;
    });
    const calm = view.joined ? "目前没有需要停下来的地方。" : "还没有人加入课堂进度。";
    fill(byId("advice"), items.length ? items : [make("li", "fine", calm)]);
  }

  function stack(exercise) {
    const bar = make("div", "stack");
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", Object.entries(exercise.counts)
      .filter(([, n]) => n).map(([name, n]) => `${STATES[name][1]} ${n}`).join("，"));
    for (const [name, n] of Object.entries(exercise.counts)) {
      if (!n) continue;
      const part = make("span", name, `${STATES[name][0]} ${n}`);
      part.style.flexGrow = n;
      part.style.flexBasis = "0";
      part.style.minWidth = "2.4em";
      part.title = `${STATES[name][1]}：${n} 人`;
      bar.append(part);
    }
    return bar;
  }

  function pace(exercise) {
    if (exercise.minutes === null) return `用时：还没有足够的人做完；计划 ${exercise.planned} 分钟`;
    return `用时：中位数 ${exercise.minutes} 分钟（${exercise.counted} 人），计划 ${exercise.planned} 分钟`;
  }

  function drawExercises(view) {
    fill(byId("exercises"), view.exercises.map((exercise) => {
      const card = make("article", "exercise");
      card.append(make("h3", "", `${exercise.id} ${exercise.title}`));
      const figure = make("p", "");
      figure.append(make("span", "figure", `${exercise.done}/${exercise.seats}`), " 人做完");
      card.append(figure, stack(exercise), make("p", "small muted", pace(exercise)));
      for (const mistake of exercise.mistakes.slice(0, projector ? 1 : 2)) {
        const line = make("p", "mistake");
        line.append(make("strong", "", `${mistake.seats} 人：`), mistake.sentence);
        card.append(line);
      }
      return card;
    }));
  }

  function cell(view, state, place) {
    const name = view.exercises[place].id;
    const [sign, words] = STATES[state.state];
    const many = state.tries > 1 && ["wrong", "stuck"].includes(state.state) ? state.tries : "";
    const node = make("span", `cell ${state.state}`);
    node.append(make("small", "", name), `${sign}${many}`);
    const told = [`${name} ${words}`, `检查 ${state.tries} 次`];
    if (state.waiting) told.push(`已 ${state.waiting} 分钟`);
    if (state.minutes !== undefined) told.push(`用时 ${state.minutes} 分钟`);
    if (state.mistake) told.push(state.mistake);
    node.title = told.join("；");
    node.setAttribute("aria-label", node.title);
    return node;
  }

  function drawSeats(view) {
    byId("seats-part").hidden = !view.seats;
    if (!view.seats) { fill(byId("seats"), []); return; }
    byId("seats").style.setProperty("--strip", `${3.5 + 2.33 * view.exercises.length}rem`);
    fill(byId("seats"), view.seats.map((row) => {
      const alarm = row.here && row.cells.some((one) => ["stuck", "quiet", "broken"].includes(one.state));
      const strip = make("div", `strip${alarm ? " alarm" : ""}${row.here ? "" : " away"}`);
      const name = make("span", "name", row.seat);
      name.title = row.here ? `${row.silent} 分钟前有动作` : "已经在做别的课";
      strip.append(name, ...row.cells.map((state, place) => cell(view, state, place)));
      return strip;
    }));
  }

  function drawLegend() {
    const hidden = projector ? ["stuck", "quiet", "broken"] : [];
    fill(byId("legend"), Object.entries(STATES).filter(([name]) => !hidden.includes(name)).map(([name, [sign, words]]) => {
      const item = make("span");
      item.append(make("span", `key ${name}`, sign), words);
      return item;
    }));
  }

  function draw(view) {
    document.documentElement.classList.toggle("projecting", projector);
    byId("projector").setAttribute("aria-pressed", String(projector));
    byId("projector").textContent = projector ? "讲师模式" : "投影模式";
    byId("title").textContent = view.title;
    document.title = `${view.title}：课堂进度`;
    byId("counts").textContent = `${view.joined} 人加入，${view.active} 人最近有动作`;
    byId("clock").textContent = view.time;
    byId("joining").hidden = !(projector && view.address);
    if (view.address && byId("address").textContent !== view.address) {
      byId("address").textContent = view.address;
      byId("qr").src = "qr.svg";
    }
    drawChoices(view);
    drawAdvice(view);
    drawExercises(view);
    drawSeats(view);
    drawLegend();
    byId("rules").closest("details").hidden = projector;
    fill(byId("rules"), view.rules.map((rule) => make("li", "", rule)));
  }

  function warn(text) {
    byId("trouble").textContent = text;
    byId("trouble").hidden = !text;
  }

  async function refresh() {
    try {
      const answer = await fetch(asked(), { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (answer.status === 403) { warn("登录已失效：请用启动课堂时窗口里带 key 的地址重新打开。"); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const view = await answer.json();
      draw(view);
      lastGood = Date.now();
      const unread = view.broken_lines ? `有 ${view.broken_lines} 行记录读不懂，已跳过。` : "";
      warn([view.trouble, unread].filter(Boolean).join(" "));
    } catch {
      const since = lastGood ? `下面是 ${Math.round((Date.now() - lastGood) / 1000)} 秒前的情况。` : "";
      warn(`连不上课堂服务：请看运行 course serve 的窗口是否还开着。${since}`);
    }
  }

  async function loop() {
    if (!document.hidden) await refresh();
    setTimeout(loop, EVERY);
  }

  byId("lesson").onchange = refresh;
  byId("projector").onclick = () => { projector = !projector; refresh(); };
  byId("theme").onclick = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    byId("theme").textContent = dark ? "深色" : "浅色";
  };
  if (matchMedia("(prefers-color-scheme: dark)").matches) byId("theme").textContent = "浅色";
  loop();
})();
