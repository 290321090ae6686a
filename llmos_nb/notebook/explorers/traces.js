export default rendered("Traces", (view) => {
  const { ask, say, act, tell, body } = view;
  let query = {};
  let page = { rows: [], offset: 0, limit: 50, total: 0, all: 0, values: {}, selected: [], problems: [] };
  let sort = ["created_at", true];
  let opened = null;
  const bar = h("form", { class: "bar", role: "search", "aria-label": "traces", on: { submit: (e) => e.preventDefault() } });
  const count = h("span", { class: "count", role: "status" });
  const list = h("div", { class: "list" });
  const detail = h("div", { class: "detail" });
  const compareTwo = button("Compare the two selected", act(() => compare()), { class: "compare" });
  body.append(bar, h("div", { class: "above" }, count, compareTwo), h("div", { class: "split" }, list, view.notes, detail));

  async function load(offset = page.offset) {
    page = await ask("page", { query, offset, sort: sort[0], descending: sort[1] });
    if (!bar.childElementCount) toolbar(page.query);
    draw();
  }
  const filtered = act(() => load(0));

  function toolbar(now) {
    query = { ...now };
    const set = (name) => (value) => {
      query = { ...query, [name]: value };
      if (!value) delete query[name];
      filtered();
    };
    bar.replaceChildren(
      search("Search", query.text || "", set("text")),
      ...["mode", "agent", "status", "project"].filter((name) => page.values[name].length > 1 || query[name])
        .map((name) => choice(name, page.values[name], query[name], set(name))),
      choice("sort by", ["oldest", "dearest", "longest", "goal"], "", (by) => {
        sort = { oldest: ["created_at", false], dearest: ["cost_usd", true], longest: ["duration_s", true], goal: ["goal", false] }[by]
          || ["created_at", true];
        filtered();
      }, "newest"),
      button("Clear", act(() => { query = {}; toolbar({}); return load(0); })),
    );
  }

  function draw() {
    const n = (x) => x.toLocaleString("en");
    count.textContent = page.total === page.all ? `${n(page.all)} trace${page.all === 1 ? "" : "s"}` : `${n(page.total)} of ${n(page.all)} traces`;
    const picked = page.selected.length;
    if (picked) count.textContent += `, ${picked} selected`;
    compareTwo.hidden = picked !== 2;
    const focused = document.activeElement && list.contains(document.activeElement) && document.activeElement.closest("tr");
    const back = focused ? [focused.dataset.id, document.activeElement.type] : null;
    const many = page.values.project.length > 1;
    list.replaceChildren(
      table({
        caption: "traces", rows: page.rows, key: "id", name: "goal", selected: page.selected, opened,
        empty: page.all ? "No trace fits: clear the filter, or search for fewer words." : "No traces yet: run a goal.",
        onselect: (id, on) => select(on ? [...page.selected, id] : page.selected.filter((other) => other !== id)),
        onopen: (id) => act(() => open(id))(),
        columns: [
          { name: "goal", title: "goal", class: "wide" },
          { title: "status", show: (row) => h("span", {}, badge(row.edited && row.status === "success" ? "edited" : row.status, row.edited ? "warn" : kindOf(row.status)),
            row.foreign ? badge("not recorded here", "warn") : null) },
          { name: "mode", title: "mode" },
          { name: "agent", title: "agent" },
          ...(many ? [{ name: "project", title: "project" }] : []),
          { name: "cost", title: "cost", class: "number" },
          { name: "when", title: "recorded (UTC)", class: "when" },
        ],
      }),
      pages(page, (offset) => act(() => load(offset))()),
      ...page.problems.map((told) => h("p", { class: "problem" }, `Cannot be read: ${told}`)),
    );
    if (back) {
      const line = [...list.querySelectorAll("tr")].find((row) => row.dataset.id === back[0]);
      if (line) line.querySelector(back[1] === "checkbox" ? "input" : "button.link").focus();
    }
  }

  async function select(ids) {
    page.selected = (await ask("select", { ids })).selected;
    draw();
  }

  async function open(id) {
    const trace = await ask("open", { id });
    say("");
    opened = id;
    if (page.selected.length < 2) page.selected = (await ask("select", { ids: [id] })).selected;
    draw();
    show(trace);
    detail.querySelector("h3").focus();
  }

  function close() {
    detail.replaceChildren();
    const before = opened;
    opened = null;
    draw();
    const line = [...list.querySelectorAll("tr")].find((row) => row.dataset.id === before);
    if (line) line.querySelector("button.link").focus();
  }

  function show(trace, said) {
    const replay = button("Replay", act(() => replayed(trace)), { title: "reach this goal again, without a model" });
    const mark = button("Mark wrong…", () => sure(mark, "Take it out of use?", (reason) => act(async () => {
      const done = await ask("wrong", { id: trace.id, reason });
      await load();
      show(done.trace);
      say(done.said);
    })(), { reason: "what is wrong with it", word: "Mark wrong" }), { class: "danger" });
    const trust = button("Put back into use…", () => sure(trust, "Do you vouch for it as it is now?", () => act(async () => {
      const done = await ask("trust", { id: trace.id, shown: trace.shown });
      await load();
      show(done.trace);
      say(done.said);
    })()));
    const state = trace.wrong ? `called wrong: ${trace.wrong.replace(/^\S+ /, "")}`
      : trace.edited ? "edited since it was recorded: not replayed until somebody vouches for it"
      : trace.foreign ? "not recorded here: not replayed until somebody vouches for it" : trace.reason;
    detail.replaceChildren(h("article", { "aria-label": "trace" },
      h("div", { class: "title" }, h("h3", { tabindex: "-1" }, trace.goal), button("×", close, { class: "close", "aria-label": "close the trace" })),
      h("p", { class: "state" }, badge(trace.wrong ? trace.called_wrong : trace.status, trace.wrong ? "bad" : kindOf(trace.status)), " ", state),
      h("div", { class: "actions" }, trace.replayable ? replay : null, trace.wrong ? null : mark, trace.wrong || trace.edited || trace.foreign ? trust : null),
      said ? h("div", { class: "result" }, h("b", {}, "replayed"), plain(said, "what the replay said")) : null,
      about({ ...trace.about, id: trace.id }),
      h("ol", { class: "steps" }, trace.steps.map((step) => h("li", {},
        h("div", { class: "step" }, h("b", {}, `${step.number}. ${step.tool}`), " ", badge(step.error || step.status, kindOf(step.status)),
          step.agent ? ` by ${step.agent}` : "", step.took ? ` · ${step.took}` : "", step.replayed ? "" : " · kept for study, not replayed"),
        step.code ? code(step.code, `step ${step.number}`) : null,
        step.output ? h("details", { open: step.status !== "ok" || step.output.length < 600 }, h("summary", {}, "output"), plain(step.output, `output of step ${step.number}`)) : null,
        step.cut ? h("p", { class: "empty" }, "cut here: the file has the rest") : null))),
      trace.answer ? h("div", {}, h("h4", {}, "Answer"), h("div", { class: "answer" }, trace.answer)) : null,
    ));
  }

  async function replayed(trace) {
    say("Replaying …");
    const progress = (text) => say(`Replaying: ${text}`);
    progress.long = true;
    const done = await ask("replay", { id: trace.id }, progress);
    await load();
    show(done.trace, done.ok ? done.text || done.said : "");
    if (done.ok) say(`Replayed: ${done.said}`);
    else tell({ told: { message: `The replay did not reach the goal: ${done.said}`, remedy: done.remedy } });
  }

  async function compare() {
    const [left, right] = page.selected;
    const found = await ask("compare", { left, right });
    say("");
    opened = null;
    draw();
    const sign = { same: ["", ""], changed: ["−", "+"], left: ["−", ""], right: ["", "+"] };
    const side = (line, at) => {
      const there = line[0] !== (at ? "left" : "right");
      const mark = sign[line[0]][at];
      return h("td", { class: there && line[0] !== "same" ? (at ? "came" : "went") : there ? "" : "none" },
        mark ? h("span", { class: "sign" }, mark) : null, line[at + 1]);
    };
    detail.replaceChildren(h("article", { "aria-label": "comparison" },
      h("div", { class: "title" }, h("h3", { tabindex: "-1" }, "Two traces side by side"), button("×", close, { class: "close", "aria-label": "close the comparison" })),
      h("p", { class: "state" }, found.summary),
      h("div", { class: "legend" }, h("div", { class: "went" }, `− ${left}`), h("div", { class: "came" }, `+ ${right}`)),
      found.sections.map((one) => h("details", { open: !one.same, class: "section" },
        h("summary", {}, one.name, one.same ? " (the same)" : ""),
        h("table", { class: "sides" },
          h("caption", { class: "unseen" }, one.name),
          h("thead", { class: "unseen" }, h("tr", {}, h("th", { scope: "col" }, left), h("th", { scope: "col" }, right))),
          h("tbody", {}, one.lines.map((line) => h("tr", { class: line[0] }, side(line, 0), side(line, 1)))))))));
    detail.querySelector("h3").focus();
  }

  view.onChanged(later(act(() => load()), 300));
  act(() => load(0))();
});
