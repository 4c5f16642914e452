// The page of `git ratchet report --format html`. It draws what the embedded JSON says and decides nothing.
// Text from strangers goes through textContent only; there is no innerHTML here.
(() => {
  "use strict";

  const data = JSON.parse(document.getElementById("data").textContent);
  const { series, commits } = data;
  const byId = (id) => document.getElementById(id);
  const VERDICTS = {
    regression: ["regression", "bad", 0], not_measured: ["not measured", "warn", 2], undecided: ["undecided", "warn", 1],
    improvement: ["improvement", "good", 3], new: ["new", "info", 4], excused: ["excused", "info", 4], pass: ["unchanged", "plain", 5],
    not_judged: ["not judged", "plain", 6],
  };
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const HEADLINES = {
    regression: ["✕", (count) => plural(count, "regression")], not_measured: ["!", () => "Not measured"],
    undecided: ["?", (count) => `${count} undecided`], improvement: ["↑", (count) => plural(count, "improvement")],
    new: ["✓", (count) => `${count} new, no baseline yet`], pass: ["✓", () => "It holds"],
  };

  /** An element with attributes and children; texts become text nodes. */
  function make(tag, attributes = {}, ...children) {
    const svg = tag === "svg" || tag === "path" || tag === "circle" || tag === "title";
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
      else if (value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const badge = (word) => make("span", { class: `badge ${VERDICTS[word][1]}` }, VERDICTS[word][0]);
  const day = (place) => new Date(commits.time[place] * 1000).toISOString().slice(0, 10);
  const author = (place) => commits.authors[commits.author[place]];

  /** Four significant digits without an exponent, as the terminal shows them. */
  function significant(value, digits = 4) {
    if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 1e6)) return String(value);
    const decimals = Math.min(12, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value)))));
    return value.toFixed(decimals);
  }
  const withUnit = (value, unit) => (unit ? `${significant(value)} ${unit}` : significant(value));

  function percent(value) {
    if (value === null || value === undefined) return "–";
    if (Math.abs(value) < 0.005) return "0 %";
    return `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(Math.abs(value) < 0.1 ? 2 : 1)} %`;
  }
  const changeClass = (entry) => (VERDICTS[entry.verdict][1] === "plain" ? "" : VERDICTS[entry.verdict][1]);

  /** The runs of a series, unpacked on first use: `at` is the place among the series' own commits. */
  function runs(entry) {
    if (entry.unpacked) return entry.unpacked;
    const commit = [];
    let last = 0;
    for (const [step, times] of entry.steps) for (let i = 0; i < times; i++) commit.push((last += step));
    const at = [];
    const places = [];
    for (const place of commit) {
      if (places[places.length - 1] !== place) places.push(place);
      at.push(places.length - 1);
    }
    const off = (offsets, sign) => (offsets ? entry.values.map((value, i) => (offsets[i] === null ? null : value + (sign * Math.abs(value) * offsets[i]) / 1e4)) : null);
    const low = off(entry.low, -1), high = off(entry.high, 1);
    const ratchet = new Array(commit.length).fill(null);
    for (let i = 0, step = -1; i < commit.length; i++) {
      while (step + 1 < entry.ratchet.length && entry.ratchet[step + 1][0] <= commit[i]) step++;
      if (step >= 0) ratchet[i] = entry.ratchet[step][1];
    }
    entry.unpacked = { commit, at, places, low, high, ratchet, standing: new Map(entry.standing) };
    return entry.unpacked;
  }

  /** The place of a commit among the series' own, or the next one after it. */
  function placeOf(entry, commit) {
    const { places } = runs(entry);
    let low = 0, high = places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[middle] < commit) low = middle + 1; else high = middle;
    }
    return Math.min(low, places.length - 1);
  }

  // ---- theme -------------------------------------------------------------------------------------------------------
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("git-ratchet-theme"); } catch { /* a file: page may have no storage */ }
  const theme = () => chosen || (dark.matches ? "dark" : "light");
  function applyTheme(forced) {
    document.documentElement.dataset.theme = forced || theme();
    byId("theme").textContent = theme() === "dark" ? "Light" : "Dark";
    charts.forEach((chart) => chart.redrawWhole());
  }
  const charts = new Map();
  byId("theme").addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("git-ratchet-theme", chosen); } catch { /* then it lasts until the page is closed */ }
    applyTheme();
  });
  dark.addEventListener("change", () => applyTheme());

  // ---- head --------------------------------------------------------------------------------------------------------
  function head() {
    const [mark, words] = HEADLINES[data.verdict];
    const count = data.counts.find(([word]) => word === data.verdict)?.[1] ?? 0;
    const tone = data.verdict === "pass" ? "good" : VERDICTS[data.verdict][1];
    byId("repository").textContent = data.repository;
    byId("headline").append(make("span", { class: `mark ${tone}`, "aria-hidden": "true" }, mark), make("span", { class: tone }, words(count)));
    const place = data.candidate;
    byId("about").append(make("code", {}, commits.id[place]), ` ${commits.subject[place]} · ${author(place)}, ${day(place)}, held against ${data.against}`);
    byId("footer").textContent = `Made by ${data.tool} on ${data.made.slice(0, 10)} at ${data.made.slice(11, 16)} UTC. Changes are positive when they are for the better. This page loads nothing from anywhere.`;
    if (data.notices.length > 0) {
      byId("notices").hidden = false;
      byId("notices").querySelector("ul").append(...data.notices.map(([message, hint]) => make("li", {}, message, hint ? make("div", { class: "hint" }, hint) : "")));
    }
    byId("testbeds").hidden = data.testbeds.length === 0;
    for (const testbed of data.testbeds) {
      const facts = make("dl", { class: "facts" }, ...testbed.facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
      const changed = testbed.changed.map((text) => make("li", {}, text));
      byId("testbeds").append(make("div", { class: "card" }, make("h3", {}, testbed.key), facts,
        changed.length > 0 ? make("div", { class: "why" }, make("b", {}, "Changed since the baseline was measured"), make("ul", {}, ...changed)) : ""));
    }
  }

  // ---- table -------------------------------------------------------------------------------------------------------
  const state = { verdicts: new Set(), text: "", metric: "", testbed: "", key: null, ascending: true };
  const SORTS = {
    verdict: (a, b) => VERDICTS[a.verdict][2] - VERDICTS[b.verdict][2] || (a.change ?? 0) - (b.change ?? 0),
    name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
    metric: (a, b) => a.metric.localeCompare(b.metric),
    baseline: (a, b) => (a.baseline?.raw ?? Infinity) - (b.baseline?.raw ?? Infinity),
    current: (a, b) => (a.current?.raw ?? Infinity) - (b.current?.raw ?? Infinity),
    change: (a, b) => (a.change ?? Infinity) - (b.change ?? Infinity),
    set: (a, b) => (a.baseline?.set ?? -1) - (b.baseline?.set ?? -1),
  };

  function spark(entry) {
    const { at, ratchet, standing } = runs(entry);
    const shown = [];
    for (let i = Math.max(0, at.length - 400); i < at.length; i++) if (!standing.has(i)) shown.push(i);
    if (shown.length === 0) return "";
    const values = shown.map((i) => entry.values[i]);
    const best = ratchet[shown[shown.length - 1]];
    const low = Math.min(...values, best ?? Infinity), high = Math.max(...values, best ?? -Infinity);
    const x = (i) => (shown.length === 1 ? 60 : (i / (shown.length - 1)) * 116 + 1).toFixed(1);
    const y = (value) => (high > low ? 23 - ((value - low) / (high - low)) * 20 : 13).toFixed(1);
    const last = values.length - 1;
    return make("svg", { class: "spark", viewBox: "0 0 120 26", "aria-hidden": "true" },
      best === null ? null : make("path", { class: "best", d: `M0 ${y(best)}H120` }),
      make("path", { d: `M${values.map((value, i) => `${x(i)} ${y(value)}`).join("L")}` }),
      make("circle", { cx: x(last), cy: y(values[last]), r: 2.4 }));
  }

  function row(entry) {
    const set = entry.baseline?.set;
    const config = entry.config ? make("span", { class: "config mono" }, entry.config) : "";
    const testbed = data.testbeds.length > 1 ? make("span", { class: "config" }, data.testbeds[entry.testbed]?.key ?? "") : "";
    return make("tr", { "data-series": entry.index },
      make("td", {}, badge(entry.verdict)),
      make("td", { class: "name" }, make("a", { href: `#series-${entry.index}` }, entry.benchmark), config, testbed, make("span", { class: "config narrow" }, entry.metric)),
      make("td", { class: "wide small", title: `${entry.metric}, ${entry.better} is better, ${data.testbeds[entry.testbed]?.key ?? ""}` }, entry.metric),
      make("td", { class: "number" }, entry.baseline?.shown ?? "–"),
      make("td", { class: "number" }, entry.current?.shown ?? "–"),
      make("td", { class: `number change ${changeClass(entry)}` }, percent(entry.change)),
      make("td", { class: "wide small" }, ...(set === undefined || set === null ? ["–"] : [make("code", {}, commits.id[set]), ` ${day(set)}`, make("span", { class: "by" }, author(set))])),
      make("td", { class: "wide" }, spark(entry)));
  }

  const isShown = (entry) =>
    (state.verdicts.size === 0 || state.verdicts.has(entry.verdict)) &&
    (!state.metric || entry.metric === state.metric) &&
    (!state.testbed || String(entry.testbed) === state.testbed) &&
    state.text.split(/\s+/).every((word) => entry.haystack.includes(word));

  const body = document.querySelector("#overview tbody");
  const cards = byId("series");

  function refresh() {
    const ordered = series.filter(isShown);
    const compare = SORTS[state.key ?? "verdict"];
    ordered.sort((a, b) => (state.ascending ? compare(a, b) : compare(b, a)) || a.index - b.index);
    body.replaceChildren(...ordered.map((entry) => (entry.row ??= row(entry))));
    if (ordered.length === 0) body.append(make("tr", {}, make("td", { class: "empty", colspan: "8" }, series.length === 0 ? "There are no results along this history." : "No series has these words and verdicts.")));
    cards.replaceChildren(...ordered.map((entry) => (entry.card ??= card(entry))));
    byId("shown").textContent = ordered.length === series.length ? `${series.length} series` : `${ordered.length} of ${series.length} series`;
    for (const header of document.querySelectorAll("#overview th[data-key]")) {
      if (header.dataset.key === state.key) header.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
      else header.removeAttribute("aria-sort");
    }
  }

  function controls() {
    for (const [word, count] of data.counts) {
      const chip = make("button", { type: "button", class: "chip", "aria-pressed": "false", "data-verdict": word }, make("b", {}, String(count)), ` ${VERDICTS[word][0]}${count > 1 && /^(regression|improvement)$/.test(word) ? "s" : ""}`);
      chip.addEventListener("click", () => {
        if (!state.verdicts.delete(word)) state.verdicts.add(word);
        chip.setAttribute("aria-pressed", String(state.verdicts.has(word)));
        refresh();
      });
      byId("chips").append(chip);
    }
    byId("search").addEventListener("input", (event) => { state.text = event.target.value.trim().toLowerCase(); refresh(); });
    choice("metric", "All metrics", [...new Set(series.map((entry) => entry.metric))].sort().map((name) => [name, name]));
    choice("testbed", "All testbeds", data.testbeds.map((testbed, at) => [String(at), testbed.key]));
    for (const header of document.querySelectorAll("#overview th[data-key]")) {
      header.querySelector("button").addEventListener("click", () => {
        const { key } = header.dataset;
        state.ascending = state.key === key ? !state.ascending : true;
        state.key = key;
        refresh();
      });
    }
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        byId("search").focus();
      }
    });
  }

  /** A list to choose from; with less than two entries there is nothing to choose. */
  function choice(id, all, entries) {
    const select = byId(id);
    if (entries.length < 2) return select.remove();
    select.append(make("option", { value: "" }, all), ...entries.map(([value, text]) => make("option", { value }, text.length > 60 ? `${text.slice(0, 59)}…` : text)));
    select.addEventListener("change", () => { state[id] = select.value; refresh(); });
  }

  // ---- one series --------------------------------------------------------------------------------------------------
  const LINES = [["runs", "runs", "dot", "--chart-run"], ["ratchet", "ratchet line", "", "--chart-ratchet"], ["band", "noise (±2σ)", "box", "--chart-band"], ["levels", "levels", "", "--chart-level"], ["excuses", "excuses", "", "--chart-excuse"]];

  function card(entry) {
    const testbed = data.testbeds[entry.testbed]?.key ?? "";
    const numbers = make("div", { class: "numbers" });
    if (entry.baseline && entry.current) numbers.append(`${entry.baseline.shown} → `, make("b", {}, entry.current.shown), "\u2002", make("b", { class: changeClass(entry) }, percent(entry.change)));
    else if (entry.current) numbers.append(make("b", {}, entry.current.shown));
    const interval = entry.current?.interval ? `now ${entry.current.interval} (95 %)` : "";
    const set = entry.baseline?.set;
    const where = [`${entry.metric}, ${entry.better} is better`, testbed, interval, set === undefined || set === null ? "" : `baseline set at ${commits.id[set]} on ${day(set)} by ${author(set)}`];
    const chart = make("div", { class: "chart", tabindex: "0", role: "img", "aria-label": `History of ${entry.name}. Arrow keys move along the runs, plus and minus zoom, 0 shows all.` });
    const parts = make("section", { class: "card", id: `series-${entry.index}` },
      make("header", {}, make("h3", {}, badge(entry.verdict), entry.benchmark, entry.config ? make("span", { class: "config mono" }, ` ${entry.config}`) : ""), numbers),
      make("p", { class: "where" }, where.filter(Boolean).join(" · ")), chart, tools(entry, chart), why(entry));
    chart.entry = entry;
    nearby.observe(chart);
    return parts;
  }

  function why(entry) {
    if (entry.why.length === 0 && !entry.explain) return "";
    const list = make("ul", {}, ...entry.why.map((text) => make("li", {}, text)));
    const command = entry.explain ? make("p", {}, "What changed: ", make("code", {}, entry.explain)) : "";
    return make("details", { class: "why", open: entry.verdict === "regression" ? "" : false }, make("summary", {}, "Why"), list, command);
  }

  function tools(entry, chart) {
    const has = { runs: true, ratchet: entry.ratchet.length > 0, band: entry.noise !== null && entry.ratchet.length > 0, levels: entry.levels.length > 1, excuses: entry.excuses.length > 0 };
    entry.visible = { ...has };
    const legend = make("div", { class: "legend" });
    for (const [key, text, shape, variable] of LINES.filter(([key]) => has[key])) {
      const sign = make("i", { class: shape, style: shape === "dot" ? `color:var(${variable})` : shape === "box" ? `background:var(${variable})` : `color:var(${variable})` });
      const button = make("button", { type: "button", "aria-pressed": "true" }, sign, text);
      button.addEventListener("click", () => {
        entry.visible[key] = !entry.visible[key];
        button.setAttribute("aria-pressed", String(entry.visible[key]));
        charts.get(chart)?.redrawWhole();
      });
      legend.append(button);
    }
    const tool = (text, label, action) => make("button", { type: "button", class: "quiet", "aria-label": label, title: label, on: { click: () => { const drawn = charts.get(chart); if (drawn) action(drawn); } } }, text);
    return make("div", { class: "tools" }, legend, make("div", { class: "zoom" },
      tool("−", "Zoom out", (drawn) => drawn.zoom(2)), tool("+", "Zoom in", (drawn) => drawn.zoom(0.5)),
      tool("Last 50", "Show the last 50 commits", (drawn) => drawn.last(50)), tool("All", "Show all commits", (drawn) => drawn.all())));
  }

  // ---- charts: made when they come near, dropped when they are far -------------------------------------------------
  const nearby = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting && !charts.has(target)) charts.set(target, new Chart(target));
      else if (!isIntersecting && charts.has(target)) { charts.get(target).drop(); charts.delete(target); }
    }
  }, { rootMargin: "500px 0px" });

  const tip = byId("tip");

  class Chart {
    constructor(host) {
      this.host = host;
      this.entry = host.entry;
      this.size = new ResizeObserver(() => this.plot?.setSize({ width: host.clientWidth, height: host.clientHeight }));
      this.listeners = [["keydown", (event) => this.key(event)], ["blur", () => (tip.hidden = true)], ["wheel", (event) => this.wheel(event)]];
      this.listeners.forEach(([name, listener]) => host.addEventListener(name, listener, { passive: false }));
      this.draw();
      this.size.observe(host);
    }

    drop() {
      this.size.disconnect();
      this.listeners.forEach(([name, listener]) => this.host.removeEventListener(name, listener));
      this.plot?.destroy();
      this.host.replaceChildren();
    }

    redrawWhole() {
      const range = this.plot ? [this.plot.scales.x.min, this.plot.scales.x.max] : null;
      this.plot?.destroy();
      this.draw();
      if (range) this.show(...range);
    }

    draw() {
      const { entry } = this, run = runs(entry), { visible } = entry;
      if (run.at.length === 0) return this.host.replaceChildren(make("p", { class: "note" }, "Never measured along this history."));
      const band = 2 * (entry.noise ?? 0) / 100;
      const shift = (factor) => run.ratchet.map((value) => (value === null ? null : value * factor));
      const stepped = uPlot.paths.stepped({ align: 1 });
      const line = (show, stroke, width) => ({ show, stroke: color(stroke), width, paths: stepped, points: { show: false } });
      const dots = run.places.length > 400 ? 3 : 5;
      const axis = { stroke: color("--soft"), grid: { stroke: color("--chart-grid"), width: 1 }, ticks: { stroke: color("--chart-grid"), size: 5 }, font: "12px system-ui, sans-serif" };
      const options = {
        width: this.host.clientWidth, height: this.host.clientHeight, legend: { show: false }, padding: [12, 14, 0, 0],
        scales: { x: { time: false, range: (plot, min, max) => this.commits(min, max) }, y: { range: (plot, min, max) => this.range(min, max) } },
        axes: [
          { ...axis, grid: { show: false }, space: 90, size: 32, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000], values: (plot, splits) => this.marks(splits) },
          { ...axis, size: (plot, values) => 16 + 7.2 * Math.max(4, ...(values ?? []).map((text) => text.length)), values: (plot, splits) => splits.map((value) => this.label(value, splits)), label: entry.unit || undefined, labelSize: entry.unit ? 18 : 0, labelFont: "12px system-ui, sans-serif" },
        ],
        series: [{},
          { show: visible.band, stroke: null, paths: stepped, points: { show: false } }, { show: visible.band, stroke: null, paths: stepped, points: { show: false } },
          line(visible.ratchet, "--chart-ratchet", 2),
          { show: visible.runs, stroke: color("--chart-run"), width: 0, paths: () => null, points: { show: true, size: dots, width: 0, fill: color("--chart-run") } }],
        bands: [{ series: [1, 2], fill: color("--chart-band") }],
        cursor: { y: false, drag: { x: true, y: false, setScale: true }, points: { show: false }, focus: { prox: -1 } },
        hooks: { draw: [(plot) => this.over(plot)], setCursor: [(plot) => this.hover(plot)] },
      };
      this.host.replaceChildren();
      this.plot = new uPlot(options, [run.at, shift(1 + band), shift(1 - band), run.ratchet, entry.values], this.host);
      this.plot.over.addEventListener("mouseleave", () => (tip.hidden = true));
    }

    /** Below the x axis stands the day, and where the mark before has the same day, the commit. */
    marks(splits) {
      const { places } = runs(this.entry);
      let last;
      return splits.map((at) => {
        const place = Number.isInteger(at) ? places[at] : undefined;
        if (place === undefined) return "";
        const today = day(place), isNew = today !== last;
        last = today;
        return isNew ? today : commits.id[place];
      });
    }

    /** The x axis: at least two commits, and half a commit of room at both ends, so that no mark is cut. */
    commits(min, max) {
      const last = runs(this.entry).places.length - 1;
      const high = max >= last ? last + 0.6 : Math.max(max, min + 2);
      return [min <= 0 ? -0.6 : Math.min(min, high - 2), high];
    }

    /** The y axis holds the runs and the ratchet line with room around them; a flat series is not stretched to noise. */
    range(min, max) {
      if (min === null || !Number.isFinite(min)) return [0, 1];
      const middle = (min + max) / 2, least = Math.abs(middle) * 0.02 || 1;
      const half = Math.max((max - min) / 2, least / 2) * 1.16;
      const low = middle - half;
      return [min >= 0 && low < 0 ? 0 : low, middle + half];
    }

    label(value, splits) {
      const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : 1;
      return value.toFixed(Math.min(9, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))));
    }

    /** What uPlot has no series for: intervals, levels, excuses, dirty runs, the judged commit. */
    over(plot) {
      const { entry } = this, run = runs(entry), { ctx, bbox } = plot, { visible } = entry;
      const x = (at) => plot.valToPos(at, "x", true), y = (value) => plot.valToPos(value, "y", true), pixel = devicePixelRatio;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left - 6 * pixel, bbox.top, bbox.width + 12 * pixel, bbox.height);
      ctx.clip();
      const first = plot.valToIdx(plot.scales.x.min), last = plot.valToIdx(plot.scales.x.max);
      ctx.lineWidth = pixel;
      if (visible.runs && run.low && run.high && last - first < 400) {
        ctx.globalAlpha = 0.45;
        ctx.strokeStyle = color("--chart-run");
        ctx.beginPath();
        for (let i = first; i <= last; i++) {
          if (run.low[i] === null || run.high[i] === null) continue;
          ctx.moveTo(x(run.at[i]), y(run.low[i]));
          ctx.lineTo(x(run.at[i]), y(run.high[i]));
        }
        ctx.stroke();
        ctx.globalAlpha = 1;
      }
      if (visible.levels) {
        ctx.strokeStyle = color("--chart-level");
        ctx.lineWidth = 1.2 * pixel;
        ctx.setLineDash([5 * pixel, 3 * pixel]);
        ctx.beginPath();
        for (const [from, to, value] of entry.levels) {
          ctx.moveTo(x(placeOf(entry, from) - 0.5), y(value));
          ctx.lineTo(x(placeOf(entry, to) + 0.5), y(value));
        }
        ctx.stroke();
        ctx.setLineDash([]);
      }
      if (visible.excuses) {
        ctx.strokeStyle = ctx.fillStyle = color("--chart-excuse");
        ctx.lineWidth = 1.2 * pixel;
        ctx.setLineDash([4 * pixel, 3 * pixel]);
        for (const [commit] of entry.excuses) {
          const at = x(placeOf(entry, commit));
          ctx.beginPath();
          ctx.moveTo(at, bbox.top);
          ctx.lineTo(at, bbox.top + bbox.height);
          ctx.stroke();
          ctx.beginPath();
          ctx.moveTo(at - 5 * pixel, bbox.top);
          ctx.lineTo(at + 5 * pixel, bbox.top);
          ctx.lineTo(at, bbox.top + 8 * pixel);
          ctx.fill();
        }
        ctx.setLineDash([]);
      }
      for (let i = first; visible.runs && i <= last; i++) {
        const isJudged = run.commit[i] === data.candidate;
        if (!isJudged && !run.standing.has(i)) continue;
        ctx.beginPath();
        ctx.arc(x(run.at[i]), y(entry.values[i]), 4.6 * pixel, 0, 2 * Math.PI);
        ctx.fillStyle = run.standing.has(i) ? color("--card") : color(`--${VERDICTS[entry.verdict][1] === "plain" ? "chart-run" : VERDICTS[entry.verdict][1]}`);
        ctx.fill();
        ctx.lineWidth = 1.6 * pixel;
        ctx.strokeStyle = run.standing.has(i) ? color("--chart-run") : color("--card");
        ctx.stroke();
      }
      ctx.restore();
    }

    hover(plot) {
      const { idx, left } = plot.cursor;
      if (idx === null || idx === undefined || left < 0) return void (tip.hidden = true);
      const { entry } = this, run = runs(entry), place = run.commit[idx], value = entry.values[idx];
      const interval = run.low?.[idx] != null && run.high?.[idx] != null ? ` (${significant(run.low[idx])} to ${withUnit(run.high[idx], entry.unit)})` : "";
      const best = run.ratchet[idx];
      const against = best === null || best === 0 ? "" : `${percent(((entry.better === "lower" ? best - value : value - best) / Math.abs(best)) * 100)} against the ratchet line at ${withUnit(best, entry.unit)}`;
      const n = Array.isArray(entry.n) ? entry.n[idx] : entry.n;
      const excuses = entry.excuses.filter(([commit]) => commit === place).map(([, by, on, reason]) => make("div", { class: "meta" }, `excused by ${by} on ${on}: ${reason}`));
      tip.replaceChildren(
        make("div", { class: "subject" }, commits.subject[place]),
        make("div", { class: "meta" }, make("code", {}, commits.id[place]), ` ${author(place)}, ${day(place)}`),
        make("div", { class: "value" }, make("b", {}, withUnit(value, entry.unit)), interval, `, n = ${n}`),
        against ? make("div", { class: "meta" }, against) : "",
        run.standing.has(idx) ? make("div", { class: "warn" }, ({ dirty: "measured with uncommitted changes", untrusted: "untrusted, not signed" }[run.standing.get(idx)] ?? "barred") + ": never a baseline") : "",
        ...excuses, make("div", { class: "meta" }, data.testbeds[entry.testbed]?.key ?? ""));
      tip.hidden = false;
      const box = plot.over.getBoundingClientRect(), atX = box.left + plot.valToPos(run.at[idx], "x"), atY = box.top + plot.valToPos(value, "y");
      const right = atX + 14 + tip.offsetWidth > innerWidth - 8;
      tip.style.left = `${Math.max(8, Math.min(innerWidth - tip.offsetWidth - 8, right ? atX - 14 - tip.offsetWidth : atX + 14))}px`;
      tip.style.top = `${Math.max(8, Math.min(innerHeight - tip.offsetHeight - 8, atY - tip.offsetHeight - 12 < 8 ? atY + 16 : atY - tip.offsetHeight - 12))}px`;
    }

    show(min, max) { this.plot?.setScale("x", { min, max }); }
    all() { this.show(0, runs(this.entry).places.length - 1); }
    last(count) { const end = runs(this.entry).places.length; this.show(Math.max(0, end - count), end - 1); }
    zoom(factor, centre) {
      if (!this.plot) return;
      const { min, max } = this.plot.scales.x, middle = centre ?? (max > runs(this.entry).places.length - 1 && factor < 1 ? max : (min + max) / 2);
      this.show(middle - (middle - min) * factor, middle + (max - middle) * factor);
    }
    wheel(event) {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.plot?.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, "x"));
    }
    key(event) {
      if (!this.plot) return;
      const { at } = runs(this.entry), step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (step !== undefined) {
        event.preventDefault();
        const now = this.plot.cursor.idx ?? (step < 0 ? at.length : -1);
        const next = Math.max(0, Math.min(at.length - 1, now + step));
        this.plot.setCursor({ left: this.plot.valToPos(at[next], "x"), top: 10 });
      } else if (event.key === "+" || event.key === "=") this.zoom(0.5);
      else if (event.key === "-") this.zoom(2);
      else if (event.key === "0") this.all();
      else if (event.key === "Escape") tip.hidden = true;
    }
  }

  addEventListener("scroll", () => (tip.hidden = true), { passive: true });
  addEventListener("beforeprint", () => {
    applyTheme("light");
    const few = [...document.querySelectorAll(".chart")].slice(0, 60);
    few.filter((host) => !charts.has(host)).forEach((host) => charts.set(host, new Chart(host)));
  });
  addEventListener("afterprint", () => applyTheme());

  series.forEach((entry, index) => {
    entry.index = index;
    entry.name = `${entry.benchmark} ${entry.config}`.trim();
    entry.haystack = `${entry.name} ${entry.metric} ${data.testbeds[entry.testbed]?.key ?? ""}`.toLowerCase();
  });
  applyTheme();
  head();
  controls();
  refresh();
  // Cards are made by now: a link to one of them can be followed.
  if (location.hash.startsWith("#series-")) byId(location.hash.slice(1))?.scrollIntoView();
})();
