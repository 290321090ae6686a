export default rendered("Agents", (view) => {
  const { ask, say, act, tell, body } = view;
  let found = { rows: [], selected: [], tools: [], drafts: [], problems: [] };
  let opened = null;
  const list = h("div", { class: "list" });
  const detail = h("div", { class: "detail" });
  const make = button("New agent", () => edit({ name: "", fields: { description: "", tools: [], model: "", prompt: "" }, file: "", base: null, history: [], fresh: true }));
  body.append(h("div", { class: "above" }, make), h("div", { class: "split" }, list, detail));

  async function load() {
    found = await ask("list");
    draw();
  }

  function draw() {
    list.replaceChildren(table({
      caption: "agents", rows: found.rows, key: "name", selected: found.selected, opened, empty: "No agents.",
      onselect: async (id, on) => {
        found.selected = (await ask("select", { ids: on ? [...found.selected, id] : found.selected.filter((other) => other !== id) })).selected;
      },
      onopen: (name) => act(() => open(name))(),
      columns: [
        { name: "name", title: "name" },
        { title: "what for", class: "wide", show: (row) => h("span", {}, row.description, row.problem ? badge("file broken", "bad") : null,
          row.waits ? badge("not trusted", "warn") : null,
          found.drafts.includes(row.name) ? badge("not saved", "warn") : null) },
        { name: "uses", title: "uses", class: "number", show: (row) => String(row.uses) },
        { name: "success", title: "success", class: "number" },
        { name: "cost", title: "cost", class: "number" },
      ],
    }), ...found.problems.map((told) => h("p", { class: "problem" }, told)));
  }

  async function open(name) {
    const agent = await ask("open", { name });
    say("");
    opened = name;
    found.selected = (await ask("select", { ids: [name] })).selected;
    draw();
    edit(agent);
    detail.querySelector("h3").focus();
  }

  function close() {
    opened = null;
    detail.replaceChildren();
    draw();
    make.focus();
  }

  // One editor: the fields or the whole file, the versions beside them. What is typed is kept in the kernel at once.
  function edit(agent, told) {
    const draft = agent.draft || {};
    let base = draft.base || agent.base;
    let tab = draft.tab || (agent.fields && !agent.waits ? "fields" : "file"); // what is to be trusted is read whole
    const kept = { name: agent.name, ...(agent.fields || { description: "", tools: [], model: "", prompt: "" }), ...(draft.fields || {}) };
    let file = draft.file !== undefined ? draft.file : agent.file;
    const errors = {};
    let live = true;
    const keepDraft = later(() => {
      if (agent.name && live) ask("draft", { name: agent.name, draft: { tab, base, fields: fieldsNow(), file } }).then((now) => {
        if (String(now.drafts) !== String(found.drafts)) { found.drafts = now.drafts; draw(); }
      });
    }, 300);
    let dirty = false;
    const typed = () => { note.textContent = "not saved yet"; dirty = true; keepDraft(); };

    function field(name, label, hint, input) {
      const id = unique(name);
      const error = h("div", { class: "error", id: `${id}-error` });
      errors[name] = { error, input };
      input.id = id;
      input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
      input.addEventListener("input", () => { mark(name, null); typed(); });
      return h("div", { class: "entry" }, h("label", { for: id }, label), input, h("div", { class: "hint", id: `${id}-hint` }, hint), error);
    }

    function mark(name, text) {
      const { error, input } = errors[name];
      error.textContent = text || "";
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }

    const name = h("input", { type: "text", value: kept.name, spellcheck: "false", autocomplete: "off" });
    const description = h("input", { type: "text", value: kept.description });
    const tools = h("input", { type: "text", value: kept.tools.join(", "), spellcheck: "false", autocomplete: "off" });
    const model = h("input", { type: "text", value: kept.model, spellcheck: "false", autocomplete: "off" });
    const prompt = h("textarea", { rows: "10", value: kept.prompt });
    const whole = h("textarea", { rows: "16", class: "file", spellcheck: "false", value: file, wrap: "off" });
    const gutter = h("pre", { class: "gutter", "aria-hidden": "true" });
    const note = h("span", { class: "count", role: "status" }, agent.draft ? "not saved yet" : "");
    const fieldsNow = () => ({
      description: description.value, tools: tools.value.split(",").map((tool) => tool.trim()).filter(Boolean), model: model.value, prompt: prompt.value,
    });

    const offered = h("div", { class: "offered", role: "group", "aria-label": "tools that can be granted" }, found.tools.map((tool) => {
      const chip = h("button", { type: "button", class: "chip", "aria-pressed": String(fieldsNow().tools.includes(tool)), on: { click: () => {
        const now = fieldsNow().tools;
        tools.value = (now.includes(tool) ? now.filter((other) => other !== tool) : [...now, tool]).join(", ");
        tools.dispatchEvent(new Event("input"));
      } } }, tool);
      tools.addEventListener("input", () => chip.setAttribute("aria-pressed", String(fieldsNow().tools.includes(tool))));
      return chip;
    }));

    const lines = (wrong = 0) => {
      gutter.replaceChildren(...whole.value.split("\n").map((_, at) => h("span", { class: at + 1 === wrong ? "at" : "" }, `${at + 1}\n`)));
    };
    whole.addEventListener("scroll", () => (gutter.scrollTop = whole.scrollTop));
    whole.addEventListener("input", () => { file = whole.value; lines(); });

    const forms = {
      fields: h("div", { class: "form" },
        field("description", "What it is for", "A sentence; others choose it by this.", description),
        field("tools", "Tools", "It can use these and nothing else; names with commas between.", tools), offered,
        field("model", "Model", "Leave it empty for the usual one.", model),
        field("prompt", "Prompt", "What the agent is told to be and to do.", prompt)),
      file: h("div", { class: "form" }, field("file", "The whole file", "As it is on disk: keys between two lines of ---, and below them the prompt.",
        whole)),
      history: h("div", { class: "form" }),
    };
    const numbered = h("div", { class: "numbered" });
    whole.before(numbered);
    numbered.append(gutter, whole);
    lines();

    const save = button("Save", act(async () => {
      for (const one of Object.keys(errors)) mark(one, null);
      lines();
      const called = agent.fresh ? name.value.trim() : agent.name;
      live = false; // what was typed last must not come after the saving as a draft
      try {
        const done = await ask("save", { name: called, base, new: Boolean(agent.fresh), ...(tab === "file" ? { file: whole.value } : { fields: fieldsNow() }) });
        if (agent.fresh) opened = called;
        await load();
        edit(done.agent, done);
        say(done.said);
      } catch (error) {
        live = true;
        if (dirty) keepDraft();
        failed(error, called);
      }
    }), { class: "main" });

    // The registry's own words stand at the field or the line that they are about; nothing that was typed is touched.
    function failed(error, called) {
      const at = error.told || {};
      const words = `${at.message} ${at.remedy || ""}`.trim();
      if (at.field === "base") {
        tell(error);
        detail.querySelector(".conflict").replaceChildren(
          button("Save mine over it", act(async () => { base = (await ask("open", { name: called })).base; save.click(); })),
          button("Take theirs", act(async () => { live = false; await ask("draft", { name: called }); await load(); edit(await ask("open", { name: called })); })));
        return;
      }
      const where = tab === "file" ? "file" : at.field && errors[at.field] ? at.field : null;
      if (where) {
        mark(where, words);
        errors[where].input.focus();
        const text = whole.value.split("\n");
        const line = at.line || text.findIndex((one) => at.field && one.startsWith(`${at.field}:`)) + 1;
        if (where === "file" && line) {
          lines(line);
          const before = text.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
          whole.scrollTop = Math.max(0, line - 4) * 18;
          whole.setSelectionRange(before, before + (text[line - 1] || "").length);
        }
        say("It was not saved: see the marked entry.");
      } else tell(error);
    }

    const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": "how to edit" });
    const panel = h("div", { role: "tabpanel", id: unique("panel") });
    const titles = { fields: "Fields", file: "File", history: `Versions (${agent.history.length})` };
    const shown = Object.keys(titles).filter((one) => (agent.fields || one !== "fields") && (!agent.fresh || one !== "history"));
    // What was typed in one tab goes with the person to the other; what cannot be read keeps them where it is.
    async function turn(which) {
      if (dirty && which !== "history" && which !== tab) {
        try {
          const called = agent.fresh ? name.value.trim() : agent.name;
          const now = await ask("convert", { name: called, ...(tab === "file" ? { file: whole.value } : { fields: fieldsNow() }) });
          if (now.file !== undefined) {
            file = whole.value = now.file;
            lines();
          } else {
            [description.value, model.value, prompt.value] = [now.fields.description, now.fields.model, now.fields.prompt];
            tools.value = now.fields.tools.join(", ");
            for (const chip of offered.children) chip.setAttribute("aria-pressed", String(now.fields.tools.includes(chip.textContent)));
          }
          for (const one of Object.keys(errors)) mark(one, null);
          dirty = false;
        } catch (error) {
          return failed(error, agent.name);
        }
      }
      return choose(which);
    }
    function choose(which) {
      tab = which === "history" ? tab : which;
      panel.replaceChildren(forms[which]);
      for (const one of tabs.children) {
        const on = one.dataset.tab === which;
        one.setAttribute("aria-selected", String(on));
        one.tabIndex = on ? 0 : -1;
        if (on) panel.setAttribute("aria-labelledby", one.id);
      }
      actions.hidden = which === "history";
    }
    for (const one of shown) {
      tabs.append(h("button", { type: "button", role: "tab", id: unique("tab"), "data-tab": one, on: {
        click: act(() => turn(one)),
        keydown: (event) => {
          const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!way) return;
          const next = tabs.children[(shown.indexOf(one) + way + shown.length) % shown.length];
          turn(next.dataset.tab).then(() => tabs.querySelector("[aria-selected=true]").focus());
        } } }, titles[one]));
    }

    const difference = h("div", {});
    const versions = agent.history;
    forms.history.append(
      table({
        caption: "versions", rows: versions.map((one) => ({ ...one, id: String(one.number) })), key: "id", selected: [], empty: "It came with the package, and nobody changed it.",
        columns: [
          { name: "id", title: "version" }, { name: "what", title: "what" }, { name: "by", title: "by" }, { name: "why", title: "why", class: "wide" },
          { name: "when", title: "when (UTC)", class: "when" },
          { title: "", show: (one) => {
            if (!one.text) return "";
            const older = versions.filter((other) => other.number < one.number && other.text)[0];
            const back = button("Restore…", () => sure(back, `Make version ${one.number} the newest?`, () => act(async () => {
              live = false;
              const done = await ask("restore", { name: agent.name, version: one.number });
              await load();
              edit(done.agent);
              say(done.said);
            })()), { "aria-label": `restore version ${one.number}` });
            const what = button("Difference", act(async () => {
              const { diff } = await ask("diff", { name: agent.name, older: older.number, newer: one.number });
              difference.replaceChildren(h("h4", {}, `From version ${older.number} to ${one.number}`), diffed(diff));
            }), { "aria-label": `what version ${one.number} changed` });
            return h("span", { class: "actions" }, older ? what : null, one.number === versions[0].number && !agent.problem ? null : back);
          } },
        ],
      }), difference);

    const revert = button("Throw away changes…", () => sure(revert, "Forget what you typed?", () => act(async () => {
      live = false;
      if (agent.fresh) return close();
      await ask("draft", { name: agent.name });
      await load();
      edit(await ask("open", { name: agent.name }));
      return undefined;
    })(), { word: "Forget" }));
    const trust = button("Trust…", () => sure(trust, "Have you read all of the file, and vouch for it?", () => act(async () => {
      const done = await ask("trust", { name: agent.name, base: agent.base });
      await load();
      edit(done.agent);
      say(done.said);
    })(), { word: "Trust" }));
    const actions = h("div", { class: "actions" }, agent.waits ? trust : null, save, revert, note);
    detail.replaceChildren(h("article", { "aria-label": "agent" },
      h("div", { class: "title" }, h("h3", { tabindex: "-1" }, agent.fresh ? "A new agent" : agent.name),
        button("×", close, { class: "close", "aria-label": "close the agent" })),
      agent.problem ? h("p", { class: "problem" }, `${agent.problem.message} ${agent.problem.remedy}`,
        agent.fields ? " Until then the last good version is in force." : "") : null,
      agent.waits ? h("p", { class: "problem" }, `${agent.name} ${agent.waits}.`) : null,
      agent.fresh ? field("name", "Name", "2 to 64 of a-z, 0-9 and -, a letter first.", name)
        : h("p", { class: "state" }, agent.version ? `version ${agent.version}` : "", agent.packaged ? " · came with the package; saving makes a copy in your workspace" : ""),
      tabs, panel, h("div", { class: "conflict actions" }), actions,
      told && told.diff ? h("details", { open: true }, h("summary", {}, "what was changed"), diffed(told.diff)) : null));
    choose(tab);
    if (agent.problem && agent.problem.line && !draft.file) lines(agent.problem.line);
    dirty = Boolean(agent.draft);
    if (agent.fresh) name.focus();
  }

  view.onChanged(later(act(() => load()), 300));
  act(() => load())();
});
