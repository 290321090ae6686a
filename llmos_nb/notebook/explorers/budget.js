export default rendered("Budget", (view) => {
  const { ask, act, body } = view;
  let query = {};
  let page = null;
  const meters = h("div", { class: "meters" });
  const curve = h("div", { class: "curve" });
  const bar = h("form", { class: "bar", role: "search", "aria-label": "ledger", on: { submit: (e) => e.preventDefault() } });
  const count = h("span", { class: "count", role: "status" });
  const list = h("div", { class: "list" });
  body.append(h("div", { class: "top" }, meters, curve), h("h4", {}, "Ledger"), bar, h("div", { class: "above" }, count), list);

  async function load(offset = page ? page.offset : 0) {
    const [overview, found] = await Promise.all([ask("overview"), ask("page", { query, offset })]);
    page = found;
    if (!bar.childElementCount) toolbar(page.query);
    gauges(overview);
    draw();
  }
  const filtered = act(async () => { page = await ask("page", { query, offset: 0 }); draw(); });

  function gauges(now) {
    meters.replaceChildren(
      ...now.meters.map((one) => {
        const share = one.limit ? Math.min(1, one.spent / one.limit) : one.limit === 0 ? 1 : 0;
        const id = unique("meter");
        return h("div", { class: "meter" }, h("div", { id }, h("b", {}, one.name), ` ${one.told}`),
          one.limit === null ? null : h("div", { class: `track ${share >= 0.9 ? "full" : share >= 0.7 ? "near" : ""}`, role: "meter",
            "aria-labelledby": id, "aria-valuemin": "0", "aria-valuemax": String(one.limit), "aria-valuenow": String(Math.min(one.spent, one.limit)),
            "aria-valuetext": one.told }, h("div", { class: "fill", style: `width:${(share * 100).toFixed(1)}%` })));
      }),
      h("p", { class: "small" }, `in ${now.money} · one goal may spend ${now.goal} · saved by replays ${now.saved}`,
        now.reserved ? ` · held by runs at work ${now.reserved}` : ""),
    );
    curve.replaceChildren(drawn(now));
  }

  // Steps over time: what was spent and saved in all, two lines that differ in dash as well as in colour.
  function drawn({ curve: points, money }) {
    if (!points.length) return h("p", { class: "empty" }, "Nothing is spent or saved yet.");
    const [wide, high, left, top, low] = [420, 150, 58, 22, 20];
    const most = Math.max(1e-9, ...points.map((p) => Math.max(p[1], p[2])));
    const [from, to] = [points[0][0], points[points.length - 1][0]];
    const x = (t) => left + (to > from ? (t - from) / (to - from) : 1) * (wide - left - 8);
    const y = (usd) => top + (1 - usd / most) * (high - top - low);
    const line = (at) => points.reduce((d, p, n) => d + (n ? `H${x(p[0]).toFixed(1)}V${y(p[at]).toFixed(1)}` : `M${left} ${y(0)}H${x(p[0]).toFixed(1)}V${y(p[at]).toFixed(1)}`), "");
    const svg = (tag, props, text) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
      if (text) node.textContent = text;
      return node;
    };
    const [, spent, saved] = points[points.length - 1];
    const usd = (v) => `$${v.toFixed(v >= 1 ? 2 : 4)}`;
    const moment = (t) => new Date(t * 1000).toISOString().replace("T", " ");
    const within = moment(from).slice(0, 10) === moment(to).slice(0, 10);
    const day = (t) => moment(t).slice(0, within ? 16 : 10);
    const label = `Spent ${usd(spent)} and saved ${usd(saved)} in all, from ${day(from)} to ${day(to)}, in ${money}`;
    const picture = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": label });
    for (const part of [0, 0.5, 1]) {
      picture.append(svg("line", { x1: left, x2: wide - 8, y1: y(most * part), y2: y(most * part), class: "grid" }),
        svg("text", { x: left - 6, y: y(most * part) + 4, "text-anchor": "end" }, usd(most * part)));
    }
    picture.append(svg("path", { d: line(1), class: "spent" }), svg("path", { d: line(2), class: "saved" }),
      svg("text", { x: left, y: high - 4 }, day(from)), svg("text", { x: wide - 8, y: high - 4, "text-anchor": "end" }, day(to)),
      svg("line", { x1: left, x2: left + 20, y1: 9, y2: 9, class: "spent" }), svg("text", { x: left + 25, y: 13 }, `spent ${usd(spent)}`),
      svg("line", { x1: left + 125, x2: left + 145, y1: 9, y2: 9, class: "saved" }), svg("text", { x: left + 150, y: 13 }, `saved ${usd(saved)}`));
    return picture;
  }

  function toolbar(now) {
    query = { ...now };
    const set = (name) => (value) => {
      query = { ...query, [name]: value };
      if (!value) delete query[name];
      filtered();
    };
    bar.replaceChildren(search("Search", query.text || "", set("text")),
      ...["kind", "agent", "model", "project"].filter((name) => page.values[name].length > 1 || query[name])
        .map((name) => choice(name, page.values[name], query[name], set(name))),
      button("Clear", act(() => { query = {}; toolbar({}); return load(0); })));
  }

  function draw() {
    const n = (x) => x.toLocaleString("en");
    count.textContent = `${page.total === page.all ? n(page.all) : `${n(page.total)} of ${n(page.all)}`} rows, spent ${page.spent}, saved ${page.saved}`;
    if (page.selected.length) count.textContent += `, ${page.selected.length} selected`;
    list.replaceChildren(table({
      caption: "ledger", rows: page.rows, key: "id", name: "what", selected: page.selected,
      empty: page.all ? "No row fits." : "Nothing yet: run a goal.",
      onselect: async (id, on) => {
        page.selected = (await ask("select", { ids: on ? [...page.selected, id] : page.selected.filter((other) => other !== id) })).selected;
        const focused = id;
        draw();
        const line = [...list.querySelectorAll("tr")].find((row) => row.dataset.id === focused);
        if (line) line.querySelector("input").focus();
      },
      columns: [
        { name: "what", title: "what for", class: "wide" }, { name: "kind", title: "kind" }, { name: "agent", title: "agent" },
        { name: "model", title: "model" }, { name: "tokens", title: "tokens", class: "number", show: (row) => n(row.tokens) },
        { name: "cost", title: "cost", class: "number" }, { name: "saved", title: "saved", class: "number" },
        { name: "when", title: "when (UTC)", class: "when" },
      ],
    }), pages(page, (offset) => act(async () => { page = await ask("page", { query, offset }); draw(); })()));
  }

  view.onChanged(later(act(() => load()), 300));
  act(() => load(0))();
});
