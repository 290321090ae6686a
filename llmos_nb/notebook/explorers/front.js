// What the explorers share: elements, questions to the kernel, tables with pages, and asking once before what cannot be
// taken back. Text always becomes text nodes; the only HTML is code that the kernel has coloured and escaped.

function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [kind, f] of Object.entries(value)) node.addEventListener(kind, f);
    else if (name === "html") node.innerHTML = value;
    else if (name === "value") node.value = value;
    else if (name === "checked") node.checked = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

let counted = 0;
const unique = (name) => `llmos-${name}-${(counted += 1)}-${Math.random().toString(36).slice(2, 7)}`;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function later(f, ms) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), ms);
  };
}

class Refused extends Error {
  constructor(told) {
    super(told.message);
    this.told = told;
  }
}

// One view of an explorer: asks the kernel, says what happened, and ends when the view is taken away.
function connect(model, el, label) {
  const open = new Map();
  const prefix = unique("q");
  let changed = () => {};
  const root = h("section", { class: "llmos-explorer", "aria-label": label });
  const said = h("div", { class: "said", role: "status", "aria-live": "polite" });
  const wrong = h("div", { class: "wrong", role: "alert" });
  const body = h("div", { class: "body" });
  const notes = h("div", { class: "notes" }, said, wrong); // an explorer may put them where its buttons are
  root.append(body, notes);
  el.append(root);

  function heard(message) {
    if (message.changed) return changed();
    const question = open.get(message.id);
    if (!question) return undefined;
    if (message.progress !== undefined) return question.progress(message.progress);
    open.delete(message.id);
    clearTimeout(question.timer);
    if (question.waited) say("");
    return message.error ? question.reject(new Refused(message.error)) : question.resolve(message.data);
  }
  model.on("msg:custom", heard);

  function ask(action, given = {}, progress = () => {}) {
    const id = `${prefix}-${(counted += 1)}`;
    return new Promise((resolve, reject) => {
      const question = { resolve, reject, progress, waited: false };
      question.timer = setTimeout(() => {
        question.waited = true;
        say("Waiting for the kernel: it is busy with a cell, or was ended.");
      }, 1500);
      if (progress !== undefined && progress.long) clearTimeout(question.timer);
      open.set(id, question);
      model.send({ id, do: action, with: given });
    });
  }

  function say(text) {
    said.textContent = text;
    if (text) tell(null);
  }

  function tell(error) {
    wrong.replaceChildren();
    if (!error) return;
    const told = error.told || { message: String(error), remedy: "" };
    said.textContent = "";
    wrong.append(h("span", {}, told.message), told.remedy ? h("span", { class: "remedy" }, ` ${told.remedy}`) : "");
  }

  // Runs an action for a button: the button is off meanwhile, and what goes wrong is told.
  function act(f) {
    return async (event) => {
      const button = event && event.currentTarget;
      if (button && button.getAttribute("aria-disabled") === "true") return;
      if (button) button.setAttribute("aria-disabled", "true");
      tell(null);
      try {
        await f(event);
      } catch (error) {
        tell(error);
      } finally {
        if (button) button.removeAttribute("aria-disabled");
      }
    };
  }

  return {
    root, body, notes, ask, say, tell, act,
    onChanged: (f) => (changed = f),
    end: () => model.off("msg:custom", heard),
  };
}

function button(text, onclick, props = {}) {
  return h("button", { type: "button", ...props, on: { click: onclick } }, text);
}

// Asks once, in place: the button makes way for a question, with a field for a reason if one is wanted.
function sure(button, question, yes, { reason = "", word = "Yes" } = {}) {
  const field = reason ? h("input", { type: "text", "aria-label": reason, placeholder: reason }) : null;
  const back = () => {
    asked.replaceWith(button);
    button.focus();
  };
  const go = () => {
    asked.replaceWith(button);
    yes(field ? field.value : "");
  };
  const confirm = h("button", { type: "button", class: "danger", on: { click: go } }, word);
  const asked = h(
    "span",
    { class: "sure", role: "group", "aria-label": question, on: { keydown: (e) => {
      if (e.key === "Escape") { e.stopPropagation(); back(); }
      if (e.key === "Enter" && e.target === field) { e.preventDefault(); go(); }
    } } },
    h("span", {}, question), field, confirm,
    h("button", { type: "button", on: { click: back } }, "No"),
  );
  button.replaceWith(asked);
  (field || confirm).focus();
}

function choice(label, values, value, onchange, any = "all") {
  const id = unique("choice");
  const select = h("select", { id, on: { change: () => onchange(select.value) } },
    h("option", { value: "" }, any), values.map((one) => h("option", { value: one }, one)));
  select.value = values.includes(value) ? value : "";
  return h("span", { class: "field" }, h("label", { for: id }, label), select);
}

function search(label, value, onchange) {
  const id = unique("search");
  const input = h("input", { type: "search", id, value, autocomplete: "off", spellcheck: "false" });
  const soon = later(() => onchange(input.value), 180);
  input.addEventListener("input", soon);
  return h("span", { class: "field grow" }, h("label", { for: id }, label), input);
}

const badge = (text, kind) => h("span", { class: `badge ${kind || ""}` }, text);
const kindOf = (status) => ({ success: "good", ready: "good", ok: "good" })[status]
  || (status === "stopped" ? "" : "bad");

// A table whose rows can be selected and opened. Arrow keys go from row to row; Home and End to the first and last.
function table({ caption, columns, rows, key, selected, onselect, onopen, opened, empty, name }) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const head = h("tr", {},
    onselect ? h("th", { scope: "col", class: "pick" }, h("span", { class: "unseen" }, "selected")) : null,
    columns.map((column) => h("th", { scope: "col", class: column.class }, column.title)));
  const lines = rows.map((row) => {
    const id = row[key];
    const check = onselect && h("input", { type: "checkbox", checked: selected.includes(id),
      "aria-label": `select ${name ? row[name] : id}`, on: { change: () => onselect(id, check.checked) } });
    const line = h("tr", { class: id === opened ? "opened" : null, "data-id": id },
      onselect ? h("td", { class: "pick" }, check) : null,
      columns.map((column, at) => {
        const shown = column.show ? column.show(row) : row[column.name];
        const inner = at === 0 && onopen
          ? h("button", { type: "button", class: "link", "aria-current": id === opened ? "true" : null,
              on: { click: () => onopen(id) } }, shown)
          : shown;
        return h(at === 0 ? "th" : "td", { scope: at === 0 ? "row" : null, class: column.class, "data-label": column.title }, inner);
      }));
    return line;
  });
  const body = h("tbody", { on: { keydown: (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const ends = { Home: 0, End: lines.length - 1 }[event.key];
    if (way === undefined && ends === undefined) return;
    const line = event.target.closest("tr");
    const to = lines[ends !== undefined ? ends : lines.indexOf(line) + way];
    const focused = to && ((event.target.type !== "checkbox" && to.querySelector("button.link")) || to.querySelector("input"));
    if (focused) { event.preventDefault(); event.stopPropagation(); focused.focus(); }
  } } }, lines);
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, head), body));
}

function pages({ offset, limit, total }, go) {
  if (total <= limit) return "";
  const last = Math.floor((total - 1) / limit) * limit;
  const step = (text, label, to, off) => h("button", { type: "button", "aria-label": label, disabled: off, on: { click: () => go(to) } }, text);
  const n = (x) => x.toLocaleString("en");
  return h("nav", { class: "pages", "aria-label": "pages" },
    step("«", "first page", 0, offset === 0), step("‹", "previous page", offset - limit, offset === 0),
    h("span", {}, `${n(offset + 1)}–${n(Math.min(offset + limit, total))} of ${n(total)}`),
    step("›", "next page", offset + limit, offset >= last), step("»", "last page", last, offset >= last));
}

const code = (html, label) => h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": label }, h("code", { html }));
const plain = (text, label) => h("pre", { class: "output", tabindex: "0", role: "region", "aria-label": label }, text);

function diffed(diff) {
  if (!diff) return h("p", { class: "empty" }, "no difference");
  const lines = diff.split("\n").map((line) =>
    h("span", { class: /^(\+\+\+|---|@@)/.test(line) ? "at" : line[0] === "+" ? "came" : line[0] === "-" ? "went" : "" }, `${line}\n`));
  return h("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": "difference" }, lines);
}

function about(facts) {
  return h("dl", {}, Object.entries(facts).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))));
}

// Keys typed into an explorer are its own: the notebook's shortcuts (d d, x, Shift-Enter …) must not see them.
function keep(root) {
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const kind of ["keydown", "keypress", "keyup"]) root.addEventListener(kind, (event) => event.stopPropagation());
}

function rendered(label, start) {
  return {
    render({ model, el }) {
      const view = connect(model, el, label);
      keep(view.root);
      start(view);
      return view.end;
    },
  };
}
