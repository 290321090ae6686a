// A run on the page. The kernel tells in small messages (see model.py); what they say is kept here once a model, and
// every view of that model draws it, at most once a frame. HTML in a message is made and escaped by the kernel alone.

const known = new Map(); // by model: what the page knows of the run

const MARKS = { ok: "✓", error: "✗", denied: "⊘" };
const STORY_LIMIT = 1000;
const PLACED = Symbol.for("llmos_nb.placed");

class Story {
  constructor(model) {
    this.model = model;
    this.entries = new Map();
    this.asks = new Map();
    this.views = new Set();
    this.interrupts = Boolean(model.get("interrupts"));
    this.head = { goal: model.get("goal") || "", label: "looking", color: "grey", money: "", elapsed: 0, phase: "" };
    this.graph = { svg: "", doing: [] };
    this.leftOut = 0;
    this.base = performance.now();
    this.stopping = false;
    this.asked = 0;
    this.unheard = new Set();
    this.insisting = null;
    this.tries = 0;
  }

  take(messages) {
    for (const message of messages) this.one(message);
  }

  one(message) {
    const kind = message.k;
    if (kind === "reset") {
      this.entries.clear();
      this.asks.clear();
      this.leftOut = message.left_out;
      for (const view of this.views) view.reset();
    } else if (kind === "head") {
      this.head = message;
      this.base = performance.now() - message.elapsed * 1000;
      this.changed("head");
    } else if (kind === "graph") {
      this.graph = message;
      this.changed("graph");
    } else if (kind === "heard") {
      this.heard = true;
    } else if (kind === "ask") {
      this.asks.set(message.id, message);
      this.changed("asks");
    } else if (kind === "answered") {
      this.asks.delete(message.id);
      this.changed("asks");
    } else {
      if (kind === "text" && !this.grow(message)) return;
      this.entries.set(message.id, message);
      this.changed(message.id);
      if (this.entries.size > STORY_LIMIT) {
        const oldest = this.entries.keys().next().value;
        this.entries.delete(oldest);
        this.leftOut += 1;
        for (const view of this.views) view.drop(oldest);
      }
    }
  }

  // Join what came to the blocks that are here; false where some are missing, which are asked for.
  grow(message) {
    const before = this.entries.get(message.id);
    const blocks = before ? before.blocks : [];
    if (message.at > blocks.length) {
      if (performance.now() - this.asked > 1000) {
        this.asked = performance.now();
        this.model.send({ again: true });
      }
      return false;
    }
    message.version = (before ? before.version : 0) + (message.at < blocks.length ? 1 : 0);
    blocks.length = message.at;
    blocks.push(...message.done);
    message.blocks = blocks;
    return true;
  }

  changed(what) {
    for (const view of this.views) view.mark(what);
  }

  say(content) {
    this.model.send(content);
  }

  // Say what the kernel has to know, until it answers: what a page says before its line has a thread of its own, a kernel
  // may hear only after the cell.
  insist(what) {
    this.unheard.add(what);
    this.model.send({ [what]: true });
    this.insisting ??= setInterval(() => {
      if (!this.unheard.size || (this.tries += 1) > 40) this.rest();
      else for (const one of this.unheard) this.model.send({ [one]: true });
    }, 500);
  }

  rest() {
    clearInterval(this.insisting);
    this.insisting = null;
    this.tries = 0;
  }
}

function story(model) {
  const id = model.get("view_id");
  if (!known.has(id)) known.set(id, new Story(model));
  return known.get(id);
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function clock(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")} min`;
}

let views = 0;

class View {
  constructor(told, model, el) {
    this.story = told;
    this.model = model;
    this.rows = new Map();
    this.marked = new Set();
    this.frame = 0;
    this.newest = null;
    this.number = ++views;
    this.build(el);
    told.views.add(this);
    this.reset();
    this.draw();
    this.timer = setInterval(() => this.tick(), 500);
  }

  build(el) {
    const root = make("div", "llmos-run");
    root.setAttribute("role", "group");
    root.setAttribute("data-lm-suppress-shortcuts", "true"); // keys that are typed here are for here
    this.root = root;
    const head = make("div", "llmos-head");
    this.spinner = make("span", "llmos-spinner");
    this.spinner.setAttribute("aria-hidden", "true");
    const reason = `llmos-reason-${this.number}`;
    this.mode = make("button", "llmos-mode");
    this.mode.type = "button";
    this.mode.setAttribute("aria-describedby", reason);
    this.reason = make("span", "llmos-reason");
    this.reason.id = reason;
    this.reason.setAttribute("role", "tooltip");
    this.mode.addEventListener("click", () => root.classList.toggle("llmos-pinned"));
    this.mode.addEventListener("keydown", (event) => {
      if (event.key === "Escape") root.classList.remove("llmos-pinned");
    });
    const modeBox = make("span", "llmos-modebox");
    modeBox.append(this.mode, this.reason);
    this.agent = make("span", "llmos-agent");
    this.time = make("span", "llmos-fact llmos-time");
    this.tokens = make("span", "llmos-fact");
    this.money = make("span", "llmos-fact llmos-money");
    this.moneyText = make("span");
    this.meter = make("span", "llmos-meter");
    this.meter.setAttribute("role", "meter");
    this.meter.setAttribute("aria-label", "spent of the budget");
    this.meter.setAttribute("aria-valuemin", "0");
    this.meter.setAttribute("aria-valuemax", "100");
    this.bar = make("span", "llmos-bar");
    this.meter.append(this.bar);
    this.money.append(this.moneyText, this.meter);
    this.stop = make("button", "llmos-button llmos-stop", "Stop");
    this.stop.type = "button";
    this.stop.addEventListener("click", () => this.stopped());
    const facts = make("span", "llmos-facts");
    facts.append(this.agent, this.time, this.tokens, this.money);
    head.append(this.spinner, modeBox, facts, this.stop);
    this.graph = make("div", "llmos-graph");
    this.doing = make("div", "llmos-doing");
    this.asks = make("div", "llmos-asks");
    this.log = make("div", "llmos-log");
    this.log.tabIndex = 0;
    this.log.setAttribute("role", "region");
    this.log.setAttribute("aria-label", "What happened so far");
    this.earlier = make("div", "llmos-earlier");
    this.list = make("ol", "llmos-list");
    this.log.append(this.earlier, this.list);
    this.log.addEventListener("scroll", () => {
      this.away = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight > 40;
    }, { passive: true });
    this.status = make("div", "llmos-hidden");
    this.status.setAttribute("role", "status");
    this.status.setAttribute("aria-live", "polite");
    this.alert = make("div", "llmos-hidden");
    this.alert.setAttribute("aria-live", "assertive");
    root.append(head, this.asks, this.graph, this.doing, this.log, this.status, this.alert);
    el.append(root);
  }

  mark(what) {
    this.marked.add(what);
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  reset() {
    this.rows.clear();
    this.list.textContent = "";
    for (const key of ["head", "graph", "asks", ...this.story.entries.keys()]) this.mark(key);
  }

  drop(key) {
    const row = this.rows.get(key);
    if (row) row.item.remove();
    this.rows.delete(key);
    this.marked.delete(key);
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const marked = [...this.marked];
    this.marked.clear();
    const last = [...marked].reverse().find((key) => this.story.entries.has(key));
    for (const key of marked) {
      if (key === "head") this.drawHead();
      else if (key === "graph") this.drawGraph();
      else if (key === "asks") this.drawAsks();
      else if (this.story.entries.has(key)) this.drawEntry(key, this.story.entries.get(key));
    }
    if (last !== undefined) this.unfold();
    this.earlier.textContent = this.story.leftOut ? `${this.story.leftOut} earlier entries are left out` : "";
    this.log.hidden = !this.list.childElementCount;
    if (!this.away) this.log.scrollTop = this.log.scrollHeight;
  }

  drawHead() {
    const head = this.story.head;
    this.root.dataset.color = head.color;
    this.root.setAttribute("aria-label", `llmos works on: ${head.goal}`);
    const stopping = this.story.stopping || head.stopping;
    this.root.classList.toggle("llmos-over", Boolean(head.status));
    this.mode.textContent = stopping ? "stopping …" : head.label;
    const why = head.reason || "How to work on it is being decided: recorded runs of goals like this are looked up.";
    this.reason.textContent = head.mode ? `Mode ${head.mode}: ${why}` : why;
    this.agent.textContent = head.agent || "";
    this.agent.title = head.agent ? `the agent ${head.agent}` : "";
    this.tokens.textContent = head.tokens ? `${head.tokens.toLocaleString("en-US")} tokens` : "";
    this.moneyText.textContent = head.money || "";
    const share = head.share;
    this.meter.hidden = share === null || share === undefined;
    if (!this.meter.hidden) {
      this.meter.setAttribute("aria-valuenow", String(Math.round(share * 100)));
      this.meter.title = `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} % of what this goal may cost`;
      this.bar.style.width = `${Math.max(share * 100, share > 0 ? 2 : 0)}%`;
      this.bar.dataset.high = share > 0.8 ? "yes" : "no";
    }
    this.stop.disabled = Boolean(stopping || head.status);
    this.stop.textContent = stopping ? "Stopping …" : "Stop";
    const phase = stopping ? "stopping" : head.phase;
    if (phase && this.status.textContent !== phase) this.status.textContent = phase;
    this.tick();
  }

  tick() {
    if (!this.story.head.status) this.time.textContent = clock((performance.now() - this.story.base) / 1000);
  }

  drawGraph() {
    const graph = this.story.graph;
    this.graph.innerHTML = graph.svg;
    this.graph.hidden = !graph.svg;
    this.doing.textContent = "";
    for (const [name, line] of graph.doing) {
      const row = make("div");
      row.append(make("b", "", name), " ", make("code", "", line));
      this.doing.append(row);
    }
    this.doing.hidden = !graph.doing.length;
  }

  drawAsks() {
    const open = new Set(this.story.asks.keys());
    for (const card of [...this.asks.children]) if (!open.has(card.dataset.ask)) card.remove();
    const shown = new Map([...this.asks.children].map((card) => [card.dataset.ask, card]));
    for (const [id, ask] of this.story.asks) {
      if (!shown.has(id)) this.asks.append(this.card(ask));
      else if (ask.problem) this.again(shown.get(id), ask.problem);
    }
    this.asks.hidden = !open.size;
    this.root.classList.toggle("llmos-waits", open.size > 0);
  }

  card(ask) {
    const card = make("div", "llmos-ask");
    card.dataset.ask = ask.id;
    card.setAttribute("role", "alertdialog");
    const title = make("div", "llmos-asked");
    title.id = `llmos-ask-${this.number}-${ask.id}`;
    card.setAttribute("aria-labelledby", title.id);
    title.append(make("b", "", ask.who), " asks for ", make("code", "", ask.tool), `: ${ask.reason}`);
    card.append(title);
    let text = null;
    if (ask.editable) {
      text = make("textarea", "llmos-edit");
      text.value = ask.text;
      text.spellcheck = false;
      text.rows = Math.min(24, Math.max(3, ask.text.split("\n").length + 1));
      text.setAttribute("aria-label", "What will run; you can change it");
      card.append(text);
    } else if (ask.code) {
      const code = make("pre", "llmos-code");
      code.tabIndex = 0;
      code.setAttribute("role", "region");
      code.setAttribute("aria-label", "What would be done");
      code.innerHTML = ask.code;
      card.append(code);
    }
    const buttons = make("div", "llmos-buttons");
    const yes = make("button", "llmos-button llmos-yes", "Approve");
    const no = make("button", "llmos-button llmos-no", "Deny");
    const further = [];
    const covered = make("div", "llmos-covers");
    for (const [extent, label, covers] of [["run", "For this run", ask.for_run], ["always", "Always", ask.always]]) {
      if (!covers) continue;
      const button = make("button", "llmos-button", label);
      const line = make("div", "", `${label}: ${covers}.`);
      line.id = `${title.id}-${extent}`;
      button.setAttribute("aria-describedby", line.id);
      covered.append(line);
      further.push([button, true, extent]);
    }
    const said = make("span", "llmos-said");
    const answer = (approved, extent) => {
      for (const button of buttons.querySelectorAll("button")) button.disabled = true;
      if (text) text.readOnly = true;
      said.classList.remove("llmos-problem");
      said.textContent = approved ? "approved, going on …" : "denied, the agent is told …";
      const content = { answer: ask.id, yes: approved, extent };
      if (text && approved && text.value !== ask.text) content.text = text.value;
      this.story.say(content);
    };
    for (const [button, approved, extent] of [[yes, true, "once"], ...further, [no, false, "once"]]) {
      button.type = "button";
      button.addEventListener("click", () => answer(approved, extent));
      buttons.append(button);
    }
    buttons.append(said);
    card.append(buttons);
    if (further.length) card.append(covered);
    this.alert.textContent = `${ask.who} asks for ${ask.tool}: ${ask.reason}`;
    return card;
  }

  // The answer could not be taken: say why, and let it be given again.
  again(card, problem) {
    const said = card.querySelector(".llmos-said");
    said.textContent = problem;
    said.classList.add("llmos-problem");
    for (const button of card.querySelectorAll("button")) button.disabled = false;
    const text = card.querySelector("textarea");
    if (text) text.readOnly = false;
    this.alert.textContent = problem;
  }

  drawEntry(key, entry) {
    let row = this.rows.get(key);
    if (!row) {
      row = this.newRow(key, entry);
      this.rows.set(key, row);
      this.list.append(row.item);
      this.newest = key;
    }
    if (entry.k === "call") this.drawCall(row, entry);
    else if (entry.k === "text") this.drawText(row, entry);
    else if (entry.k === "memory") this.drawMemory(row, entry);
    else row.body.textContent = entry.text;
  }

  newRow(key, entry) {
    const item = make("li", `llmos-entry llmos-${entry.k}`);
    if (entry.who && entry.k !== "call") item.append(make("span", "llmos-who", entry.who));
    if (entry.k === "call" || entry.k === "memory") {
      const fold = make("details");
      const line = make("summary");
      const body = make("div", "llmos-body");
      fold.append(line, body);
      item.append(fold);
      const row = { item, fold, line, body, byHand: false, filled: false };
      line.addEventListener("click", () => { row.byHand = true; });
      fold.addEventListener("toggle", () => { if (fold.open) this.fill(this.story.entries.get(key), row); });
      return row;
    }
    const body = make("div", entry.k === "text" ? "llmos-markdown" : "llmos-notetext");
    item.append(body);
    return { item, body, tail: null, blocks: 0 };
  }

  drawCall(row, call) {
    row.item.dataset.status = call.status;
    row.line.textContent = "";
    const mark = make("span", call.status === "running" ? "llmos-spinner" : "llmos-mark", MARKS[call.status] || "");
    mark.setAttribute("aria-hidden", "true");
    const told = { running: "at work: ", ok: "", error: "failed: ", denied: "refused: " }[call.status] ?? call.status;
    row.line.append(mark, make("span", "llmos-hidden", told), make("code", "llmos-tool", call.tool));
    if (call.who) row.line.append(make("span", "llmos-who", call.who));
    row.line.append(make("code", "llmos-line", call.line));
    if (call.status === "error" || call.status === "denied") {
      row.line.append(make("span", "llmos-bad", call.status === "error" ? "failed" : "refused"));
    }
    if (call.seconds !== undefined && call.seconds >= 0.1) {
      row.line.append(make("span", "llmos-fact", `${call.seconds.toFixed(1)} s`));
    }
    row.filled = false;
    if (!row.byHand && (call.status === "error" || call.status === "denied")) row.fold.open = true;
    if (row.fold.open) this.fill(call, row);
  }

  // The newest call is open while it is the newest; what people opened or closed by hand stays as it is.
  unfold() {
    const newest = this.rows.get(this.newest);
    if (this.unfolded && this.unfolded !== newest && this.unfolded.fold && !this.unfolded.byHand) {
      const status = this.unfolded.item.dataset.status;
      if (status !== "error" && status !== "denied") this.unfolded.fold.open = false;
    }
    this.unfolded = newest;
    if (newest && newest.fold && !newest.byHand && newest.item.dataset.status) {
      newest.fold.open = true;
      this.fill(this.story.entries.get(this.newest), newest);
    }
  }

  // The inside of a call is made when it is looked at.
  fill(call, row) {
    if (row.filled || !call || call.k !== "call") return;
    row.filled = true;
    row.body.textContent = "";
    if (call.code === undefined) {
      row.body.append(make("div", "llmos-notetext", "the run's result shows it"));
      return;
    }
    if (call.code) {
      const code = make("pre", "llmos-code");
      code.innerHTML = call.code;
      row.body.append(this.scrolls(code, "code"));
    }
    if (!call.output) return;
    const bad = call.status === "error" || call.status === "denied";
    const output = this.scrolls(make("pre", bad ? "llmos-output llmos-error" : "llmos-output", call.output), "output");
    if (bad) {
      row.body.append(output);
      return;
    }
    const lines = call.output.trimEnd().split("\n").length;
    const fold = make("details", "llmos-outfold");
    fold.append(make("summary", "", `output, ${lines} line${lines === 1 ? "" : "s"}`), output);
    row.body.append(fold);
  }

  scrolls(node, what) {
    node.tabIndex = 0;
    node.setAttribute("role", "region");
    node.setAttribute("aria-label", what);
    return node;
  }

  drawText(row, text) {
    if (row.version !== text.version) {
      row.body.textContent = "";
      row.blocks = 0;
      row.tail = null;
      row.version = text.version; // what was drawn is void: the text became another one
    }
    if (row.tail) row.tail.remove();
    for (; row.blocks < text.blocks.length; row.blocks++) {
      const block = make("div");
      block.innerHTML = text.blocks[row.blocks];
      this.links(block);
      row.body.append(block);
    }
    row.tail = make("div");
    row.tail.innerHTML = text.tail;
    this.links(row.tail);
    row.body.append(row.tail);
  }

  links(block) {
    for (const link of block.querySelectorAll("a[href]")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
  }

  drawMemory(row, memory) {
    const count = memory.facts.length;
    const more = memory.left_out ? `, ${memory.left_out} had no room` : "";
    row.line.textContent = `From memory: ${count} fact${count === 1 ? "" : "s"}, about ${memory.tokens} tokens${more}`;
    row.body.textContent = "";
    const list = make("ul");
    for (const fact of memory.facts) {
      const item = make("li", "", fact.text);
      const why = [fact.reason, fact.source].filter(Boolean).join(" · ");
      if (why) item.append(make("div", "llmos-why", why));
      list.append(item);
    }
    row.body.append(list);
  }

  stopped() {
    const told = this.story;
    told.stopping = true;
    told.changed("head");
    told.say({ stop: true });
    // A kernel that computes and does not hear it is interrupted, as by the notebook's own stop button.
    setTimeout(() => {
      if (told.heard || told.head.stopping || told.head.status || !told.interrupts || !this.root.isConnected) return;
      const kernel = this.model.widget_manager && this.model.widget_manager.kernel;
      if (kernel && typeof kernel.interrupt === "function") kernel.interrupt();
    }, 800);
  }

  close() {
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.story.views.delete(this);
    this.root.remove();
  }
}

// After a reload this page is another one to the kernel, and gets nothing of what the cell shows. The kernel has it put
// the view, and in the end what the cell would have shown, into the cell itself: where the page lets a widget do that
// (JupyterLab and Notebook 7), and where the cell is there and still says the same.
async function comeBack(model, back) {
  const manager = model.widget_manager;
  if (!manager || !manager.kernel || manager.kernel.clientId !== back.client) return;
  const told = story(model);
  told.back = back;
  let placed = false;
  for (let time = 0; time < 6 && !placed; time++) {
    if (time) await new Promise((resolve) => setTimeout(resolve, 500)); // the page may not be whole yet
    if (told.back !== back) return; // there is news since
    try {
      await manager.context.ready;
      placed = told.back === back && place(manager.context.model.cells, back);
    } catch (error) {
      console.warn("llmos: the cell cannot be brought back", error);
    }
  }
  if (told.back === back) model.send({ placed });
}

function place(cells, back) {
  for (let i = 0; i < cells.length; i++) {
    const cell = cells.get(i);
    if (cell.type !== "code" || cell.id !== back.cell || cell.sharedModel.getSource() !== back.code) continue;
    const outputs = cell.outputs;
    const here = () => outputs.toJSON().findIndex((one) => JSON.stringify(one).includes(back.model));
    const placed = (globalThis[PLACED] ??= new WeakSet()); // cells that are as the kernel said, with other views perhaps
    if (!placed.has(cell) && (back.outputs || here() < 0)) outputs.clear(); // what was saved of an earlier time
    placed.add(cell);
    cell.trusted = true; // as for a cell that is run: what comes is the kernel's
    const at = here();
    const left = [...(back.outputs || [])];
    if (!back.outputs && at < 0) outputs.add({ output_type: "display_data", data: back.view, metadata: {} });
    if (left.length && at >= 0) outputs.set(at, left.shift());
    for (const output of left) outputs.add(output);
    if ("executionState" in cell) cell.executionState = back.outputs ? "idle" : "running";
    return true;
  }
  return false;
}

function initialize({ model }) {
  const told = story(model);
  told.take(model.get("start") || []);
  model.on("msg:custom", (content) => {
    if (content.begin) {
      told.interrupts = content.begin.interrupts;
      model.send({ here: true });
    }
    if (content.heard) told.unheard.delete(content.heard);
    told.take(content.messages || []);
    if (content.over) model.send({ bye: true });
    if (content.back) comeBack(model, content.back);
  });
  told.insist("page");
  return () => {
    told.rest();
    known.delete(model.get("view_id"));
  };
}

function render({ model, el }) {
  const told = story(model);
  told.model = model;
  const view = new View(told, model, el);
  told.insist("hello");
  return () => view.close();
}

export default { initialize, render };
