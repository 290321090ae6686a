export default rendered("Crystals", (view) => {
  const { ask, say, act, body } = view;
  let found = { rows: [], selected: [] };
  let opened = null;
  const list = h("div", { class: "list" });
  const detail = h("div", { class: "detail" });
  body.append(h("div", { class: "split" }, list, view.notes, detail));

  async function load() {
    found = await ask("list");
    draw();
  }

  function draw() {
    list.replaceChildren(table({
      caption: "crystals", rows: found.rows, key: "name", selected: found.selected, opened,
      empty: "No crystals yet: a goal that is used often becomes one.",
      onselect: async (id, on) => {
        found.selected = (await ask("select", { ids: on ? [...found.selected, id] : found.selected.filter((other) => other !== id) })).selected;
      },
      onopen: (name) => act(() => open(name))(),
      columns: [
        { name: "name", title: "name" },
        { name: "goal", title: "goals like", class: "wide" },
        { name: "uses", title: "uses", class: "number" },
        { name: "success", title: "success", class: "number" },
        { title: "status", show: (row) => badge(row.status === "ready" ? "ready" : row.status.split(":")[0], row.status === "ready" ? "good" : "warn") },
      ],
    }));
  }

  async function open(name) {
    const crystal = await ask("open", { name });
    say("");
    found.selected = (await ask("select", { ids: [name] })).selected;
    opened = name;
    draw();
    show(crystal);
    detail.querySelector("h3").focus();
  }

  function close() {
    opened = null;
    detail.replaceChildren();
    draw();
    const first = list.querySelector("button.link");
    if (first) first.focus();
  }

  async function done(answer) {
    await load();
    if (answer.crystal) show(answer.crystal);
    else close();
    say(answer.said);
  }

  function show(crystal) {
    const name = crystal.name;
    const progress = (text) => say(`Testing ${name}: ${text} …`);
    progress.long = true;
    const test = button("Test", act(async () => { say(`Testing ${name} …`); await done(await ask("test", { name }, progress)); }),
      { title: "make its recorded runs again" });
    const off = button("Disable…", () => sure(off, "Goals and agents no longer use it?", (reason) =>
      act(async () => done(await ask("disable", { name, reason })))(), { reason: "why (optional)", word: "Disable" }));
    const on = button("Enable", act(async () => done(await ask("enable", { name }))));
    const remove = button("Remove…", () => sure(remove, `Delete ${name}?`, () =>
      act(async () => done(await ask("remove", { name })))(), { word: "Delete" }), { class: "danger" });
    const report = crystal.report;
    detail.replaceChildren(h("article", { "aria-label": "crystal" },
      h("div", { class: "title" }, h("h3", { tabindex: "-1" }, name), button("×", close, { class: "close", "aria-label": "close the crystal" })),
      h("p", { class: "state" }, badge(crystal.status === "ready" ? "ready" : "not in use", crystal.status === "ready" ? "good" : "warn"),
        crystal.status === "ready" ? "" : ` ${crystal.status}`),
      h("div", { class: "actions" }, test, /^(disabled|it failed)/.test(crystal.status) ? on : off, remove),
      crystal.problem ? h("p", { class: "problem" }, crystal.problem) : null,
      about({ ...crystal.about, file: crystal.file }),
      code(crystal.source, `code of ${name}`),
      report ? h("div", {}, h("h4", {}, report.summary), h("ul", { class: "checks" }, report.checks.map((check) =>
        h("li", {}, badge(check.passed ? "passed" : "failed", check.passed ? "good" : "bad"), " ", check.trace, check.reason ? `: ${check.reason}` : "")))) : null,
    ));
  }

  view.onChanged(later(act(() => load()), 300));
  act(() => load())();
});
