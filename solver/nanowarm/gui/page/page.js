// The page: one case at a time, as a form and as text; the text is the truth.
import { Editor } from "./editor.js";
import { asked, element, quoted } from "./elements.js";
import { Form } from "./form.js";
import { get, post } from "./server.js";
import { Watch } from "./watch.js";

const QUIET = 400; // [ms] without a key before the text is checked
const byId = (id) => document.getElementById(id);

const start = await get("/api/start").catch((error) => { tell(error); throw error; });
const editor = new Editor(byId("panel-text"), typed);
const form = new Form(byId("panel-form"), start, (path, action, value) => edit(path, action, value));
const watch = new Watch(byId("watch"), list, tell);
const now = { path: "", seen: "", saved: "", kind: "", faults: [], values: null, view: "form" };
let waiting = null; // for the text to rest
let checking = null; // what breaks a check off
let edits = Promise.resolve(); // one after the other, each on the text of the one before
let folder = { cases: [], runs: [], jobs: [] };

/** Say what went wrong, in one line. */
function tell(error) {
  const toast = byId("toast");
  toast.hidden = false;
  toast.replaceChildren(quoted(error.message), element("button", { type: "button", class: "remove", "aria-label": "close", click: () => (toast.hidden = true) }, "×"));
}

function calm() {
  byId("toast").hidden = true;
}

/** Show what the folder holds. */
async function list() {
  try {
    folder = await get("/api/folder");
  } catch (error) {
    tell(error);
    return;
  }
  byId("cases").replaceChildren(...folder.cases.map((one) => {
    const current = one.path === now.path ? "page" : null;
    const kind = one.kind === "study" ? element("span", { class: "chip" }, "study") : null;
    const title = one.title ? element("small", {}, quoted(one.title.slice(0, 200))) : null;
    return element("li", {}, element("button", { type: "button", "aria-current": current, click: () => open(one.path) }, quoted(one.path), kind, title));
  }));
  if (!folder.cases.length) byId("cases").append(element("li", { class: "hint" }, "No case in this folder yet."));
  const going = new Map(folder.jobs.filter((job) => job.goes_on && job.folder).map((job) => [job.folder, job]));
  byId("runs").replaceChildren(...folder.runs.map((run) => {
    const job = going.get(run.path);
    const word = job ? "going on" : run.verdict || "not finished";
    const click = () => (job ? watch.follow(job) : watch.show(run.path));
    return element("li", {}, element("button", { type: "button", click }, quoted(run.path), element("span", { class: `chip ${job ? "" : run.verdict}` }, word)));
  }));
  if (!folder.runs.length) byId("runs").append(element("li", { class: "hint" }, "No run yet."));
  if (!folder.whole) byId("cases").append(element("li", { class: "hint" }, "This folder is too large to be searched whole; start in a smaller one."));
}

const isChanged = () => now.path !== "" && editor.text !== now.saved;

/** Whether the text may be left: it is saved, or given up. */
async function left() {
  await edits;
  if (!isChanged()) return true;
  const { choice } = await asked("The changes are not saved", [element("p", {}, quoted(now.path))],
    [["", "Stay"], ["drop", "Drop them"], ["save", "Save", "main"]]);
  return choice === "drop" || (choice === "save" && (await save()));
}

/** Open a case. */
async function open(path, again = false) {
  if (!again && !(await left())) return;
  try {
    const opened = await get("/api/case", { path });
    take(opened);
    calm();
    byId("side").classList.remove("open");
    byId("menu").setAttribute("aria-expanded", "false");
    await check();
    await list();
  } catch (error) {
    tell(error);
  }
}

function take(opened) {
  Object.assign(now, { path: opened.path, seen: opened.seen, saved: opened.text, kind: opened.kind });
  editor.text = opened.text;
  byId("welcome").hidden = true;
  byId("case").hidden = false;
  const study = opened.kind === "study";
  byId("kind").hidden = byId("hint-study").hidden = !study;
  byId("study-command").textContent = `nanowarm study ${/^[\w./-]+$/.test(opened.path) ? opened.path : `'${opened.path.replaceAll("'", "'\\''")}'`}`;
  for (const id of ["check-mesh", "run", "ranks"]) byId(id).disabled = study;
  byId("tab-form").disabled = study;
  if (study) view("text");
  byId("path").textContent = opened.path;
  if (opened.title !== undefined) entitle(opened.title);
  fresh();
}

function entitle(title) {
  byId("title").replaceChildren(quoted(title || "Case without a title"));
}

/** Show whether there is something to save. */
function fresh() {
  byId("unsaved").hidden = !isChanged();
  byId("save").disabled = !isChanged();
  document.title = `${isChanged() ? "• " : ""}${now.path ? `${now.path} · ` : ""}nanowarm`;
}

function typed() {
  fresh();
  clearTimeout(waiting);
  waiting = setTimeout(check, QUIET);
}

/** Ask for the faults of the text, and show them. */
async function check() {
  clearTimeout(waiting);
  checking?.abort();
  checking = new AbortController();
  const text = editor.text;
  let found;
  try {
    found = await post("/api/check", { path: now.path, text }, checking.signal);
  } catch (error) {
    if (error.name !== "AbortError") tell(error);
    return;
  }
  if (text !== editor.text) return; // a newer check is on its way
  now.faults = found.faults;
  now.values = found.values;
  if (found.values) entitle(found.title);
  editor.mark(found.faults);
  if (now.kind === "case") showForm();
  report(found.faults);
}

function showForm() {
  const panel = byId("panel-form");
  panel.classList.toggle("stale", now.values === null);
  panel.inert = now.values === null;
  if (now.values) form.show(now.values, now.faults);
}

function report(faults) {
  const status = byId("status");
  status.className = faults.length ? "bad" : "good";
  const words = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  status.textContent = faults.length ? `${words}${now.values ? "" : ": the form waits until the text is TOML"}` : "No fault found without the mesh";
  byId("faults").replaceChildren(...faults.slice(0, 50).map((fault) => {
    const place = fault.line ? `line ${fault.line}` : "";
    return element("li", {}, element("button", { type: "button", click: () => goTo(fault) },
      place ? element("span", { class: "place" }, place) : null, fault.key ? element("code", {}, quoted(fault.key)) : null, quoted(fault.message)));
  }));
}

/** Put the cursor where a fault is. */
function goTo(fault) {
  if (now.view === "form" && now.values && form.goTo(fault.path)) return;
  if (!fault.line) return;
  view("text");
  editor.goTo(fault.line);
}

/** Change one value of the text. */
function edit(path, action, value) {
  edits = edits.then(async () => {
    try {
      let text, changed;
      do { // again, if somebody has written on in the meantime
        text = editor.text;
        changed = await post("/api/edit", { text, path, action, value });
      } while (editor.text !== text);
      editor.text = changed.text;
      calm();
    } catch (error) {
      tell(error);
    }
    fresh();
    await check();
  });
}

/** Save the text; whether it is saved. */
async function save() {
  await edits;
  if (!isChanged()) return true;
  const text = editor.text;
  try {
    const saved = await post("/api/save", { path: now.path, text, seen: now.seen });
    Object.assign(now, { seen: saved.seen, saved: text });
    calm();
    fresh();
    await list();
    return true;
  } catch (error) {
    if (error.status !== 409 && error.status !== 404) {
      tell(error);
      return false;
    }
    const { choice } = await asked("Another program has changed this file", [element("p", {}, "It was not overwritten. Your text is still here.")],
      [["", "Not now"], ["reload", "Load it, drop my text"], ["as", "Save mine as …", "main"]]);
    if (choice === "reload") await open(now.path, true);
    return choice === "as" && saveAs();
  }
}

/** Save the text as another file; whether it is saved. */
async function saveAs() {
  await edits;
  const proposal = now.path.replace(/\.toml$/, "-2.toml");
  const input = element("input", { name: "path", id: "save-path", value: proposal, required: true, autocomplete: "off" });
  const { choice, fields } = await asked("Save as", [element("label", { for: "save-path" }, "File in this folder, .toml"), input], [["", "Cancel"], ["save", "Save", "main"]]);
  if (choice !== "save") return false;
  const text = editor.text;
  try {
    const saved = await post("/api/save", { path: fields.path, text, seen: "" });
    take({ ...saved, text, kind: now.kind });
    await check();
    await list();
    return true;
  } catch (error) {
    tell(error);
    return false;
  }
}

/** Copy a shipped case. */
async function begin(source = "") {
  if (!(await left())) return;
  const select = element("select", { name: "source", id: "new-source" },
    start.shipped.map((one) => element("option", { value: one.name, selected: one.name === source }, one.name)));
  const about = element("p", { class: "hint" });
  const describe = () => (about.textContent = start.shipped.find((one) => one.name === select.value)?.title ?? "");
  select.addEventListener("change", describe);
  describe();
  const input = element("input", { name: "name", id: "new-name", required: true, placeholder: "my-case", autocomplete: "off" });
  const { choice, fields } = await asked("A new case", [element("label", { for: "new-source" }, "Copy of"), select, about,
    element("label", { for: "new-name" }, "Its name, and that of its folder"), input], [["", "Cancel"], ["make", "Make", "main"]]);
  if (choice !== "make") return;
  try {
    const made = await post("/api/new", fields);
    now.saved = editor.text;
    await open(made.path);
  } catch (error) {
    tell(error);
  }
}

/** Start a program on the saved case. */
async function launch(kind) {
  if (!(await save())) return;
  try {
    const ranks = kind === "run" ? Number(byId("ranks").value) || 1 : 1;
    watch.follow(await post("/api/jobs", { kind, target: now.path, ranks }));
    calm();
    byId("watch").scrollIntoView({ block: "nearest" });
  } catch (error) {
    tell(error);
  }
}

/** Change between form and text. */
function view(name) {
  now.view = name;
  for (const one of ["form", "text"]) {
    const tab = byId(`tab-${one}`);
    tab.setAttribute("aria-selected", String(one === name));
    tab.tabIndex = one === name ? 0 : -1;
    byId(`panel-${one}`).hidden = one !== name;
  }
  if (name === "text") editor.paint();
}

for (const name of ["form", "text"]) {
  byId(`tab-${name}`).addEventListener("click", () => view(name));
  byId(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = byId(name === "form" ? "tab-text" : "tab-form");
    if (!other.disabled) {
      other.click();
      other.focus();
    }
  });
}
byId("menu").addEventListener("click", () => byId("menu").setAttribute("aria-expanded", String(byId("side").classList.toggle("open"))));
byId("new").addEventListener("click", () => begin());
byId("save").addEventListener("click", save);
byId("save-as").addEventListener("click", saveAs);
byId("check-mesh").addEventListener("click", () => launch("check"));
byId("run").addEventListener("click", () => launch("run"));
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    document.activeElement?.blur?.(); // a field that is being written in goes into the text first
    if (now.path && !document.querySelector("dialog[open]")) save();
  }
});
window.addEventListener("beforeunload", (event) => isChanged() && event.preventDefault());

window.addEventListener("focus", list);
byId("ranks").max = start.cores;
byId("folder").textContent = start.folder;
byId("shipped").replaceChildren(...start.shipped.map((one) =>
  element("li", {}, element("button", { type: "button", click: () => begin(one.name) }, element("strong", {}, one.name), element("span", {}, one.title)))));
await list();
const going = folder.jobs.find((job) => job.goes_on);
if (going) watch.follow(going);
