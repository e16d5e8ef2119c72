// The form of a case, made from the JSON Schema and the values that the text has.
import { element, quoted } from "./elements.js";
import { asToml, choices, example, isSimple, meant, sentence, shapeOf, shapes } from "./fields.js";

const LISTS = { material: "materials", blood: "materials", damage: "damage-sets", region: "region-names" };
const HIDDEN = new Set(["schema"]);

/** The form view of a case. */
export class Form {
  /** `edit(path, action, value)` changes one value of the text. */
  constructor(host, start, edit) {
    this.host = host;
    this.root = start.schema;
    this.edit = edit;
    this.open = new Set();
    this.drawing = false; // while old inputs leave the page, as they would on a blur
    this.regions = element("datalist", { id: "region-names" });
    const named = { materials: "material", particles: "particle", coils: "coil", "damage-sets": "damage" };
    const lists = Object.entries(named).map(([id, kind]) =>
      element("datalist", { id }, start.library[kind].map((name) => element("option", { value: name }))));
    this.lists = element("div", { hidden: true }, lists, this.regions);
    this.body = element("div", { class: "sections" });
    host.append(this.lists, this.body);
  }

  /** Show the values of a text; the place of the cursor stays. */
  show(values, faults) {
    const active = this.host.contains(document.activeElement) ? document.activeElement : null;
    const place = active?.id;
    const typed = active?.matches("input") ? { value: active.value, from: active.selectionStart, to: active.selectionEnd } : null;
    const changed = typed && active.value !== active.defaultValue;
    this.regions.replaceChildren(...Object.keys(values.regions ?? {}).map((name) => element("option", { value: name })));
    const simple = [];
    const sections = [];
    for (const [key, node] of Object.entries(this.root.properties)) {
      if (HIDDEN.has(key)) continue;
      (isSimple(shapes(node, this.root)) ? simple : sections).push([key, node]);
    }
    const first = element("fieldset", {}, element("legend", {}, "case"),
      simple.map(([key, node]) => this.field(key, node, values[key], [key], node.description ?? "")));
    const unknown = Object.keys(values).filter((key) => !(key in this.root.properties));
    this.drawing = true;
    this.body.replaceChildren(first, ...sections.map(([key, node]) => this.section(key, node, values[key], [key])),
      ...unknown.map((key) => this.any(key, {}, values[key], [key], "", true)));
    this.drawing = false;
    this.mark(faults);
    const again = place ? document.getElementById(place) : null;
    if (again) {
      again.focus();
      if (changed) again.value = typed.value;
      if (typed && again.matches("input")) again.setSelectionRange(typed.from, typed.to);
    }
  }

  /** Show faults at their fields. */
  mark(faults) {
    this.body.querySelectorAll(".fault-text").forEach((shown) => shown.remove());
    this.body.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
    faults.forEach((fault, number) => {
      const place = this.placeOf(fault.path);
      if (!place) return;
      const id = `fault-${number}`;
      const control = place.querySelector(":scope > input, :scope > select, :scope > .control > input, :scope > .control > select");
      control?.setAttribute("aria-invalid", "true");
      control?.setAttribute("aria-describedby", id);
      const text = element("p", { class: "fault-text", id }, quoted(fault.message));
      if (place.matches("fieldset")) place.querySelector("legend").after(text);
      else place.append(text);
      for (let outer = place.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    });
  }

  /** The innermost element of a path, or of what it is in. */
  placeOf(path) {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const wanted = JSON.stringify(path.slice(0, depth));
      const found = [...this.body.querySelectorAll("[data-path]")].find((one) => one.dataset.path === wanted);
      if (found) return found;
    }
    return null;
  }

  /** Put the cursor at the field of a fault. */
  goTo(path) {
    const place = this.placeOf(path);
    if (!place) return false;
    place.scrollIntoView({ block: "center" });
    place.querySelector("input, select, summary, button")?.focus({ preventScroll: true });
    return true;
  }

  /** Whatever fits a value: a field, a section or a list. */
  any(key, node, value, path, note, removable = false) {
    const all = shapes(node, this.root);
    const holds = (one) => one.properties || one.type === "object" || one.items?.$ref || one.items?.oneOf; // sections
    const plainList = Array.isArray(value) && value.every((inner) => typeof inner !== "object");
    const isSection = typeof value === "object" && value !== null && !plainList;
    if (isSection || (value === undefined && !isSimple(all) && all.some(holds))) {
      return this.section(key, node, value, path, removable);
    }
    return this.field(key, node, value, path, note, removable);
  }

  /** A group of fields: a section, a list of sections, or sections by name. */
  section(key, node, value, path, removable = false) {
    const all = shapes(node, this.root);
    const list = all.find((one) => one.type === "array");
    if (Array.isArray(value) || (value === undefined && list)) return this.list(key, list ?? {}, value ?? [], path);
    const shape = shapeOf(all, value ?? {}) ?? {};
    if (!shape.properties) return this.named(key, shape, value ?? {}, path, removable);
    const title = typeof key === "number" ? `${key + 1} ${value?.name ?? value?.kind ?? ""}` : key;
    const inner = this.inside(shape, all, value ?? {}, path);
    const remove = removable || path.length > 1 ? this.remover(path, title) : null;
    const note = element("p", { class: "hint" }, sentence(shape));
    if (value === undefined) return this.folded(path, title, "not set: the defaults hold", [note, ...inner]);
    return element("fieldset", { "data-path": JSON.stringify(path) }, element("legend", {}, quoted(title)), remove, note, inner);
  }

  /** The fields of a section: those that are set or needed, then the others behind a fold. */
  inside(shape, all, value, path) {
    const needed = new Set(shape.required ?? []);
    const shown = [];
    const more = [];
    for (const [key, node] of Object.entries(shape.properties)) {
      const kinds = all.map((one) => one.properties?.kind?.const).filter((kind) => kind !== undefined);
      const given = key === "kind" && kinds.length > 1 ? { enum: kinds, type: "string" } : node;
      const made = this.any(key, given, value[key], [...path, key], node.description ?? "");
      (value[key] !== undefined || needed.has(key) || key === "kind" ? shown : more).push(made);
    }
    const unknown = Object.keys(value).filter((key) => !(key in shape.properties));
    shown.push(...unknown.map((key) => this.any(key, {}, value[key], [...path, key], "", true)));
    if (!more.length) return shown;
    return [...shown, this.folded([...path, "…"], `${more.length} more`, "", more)];
  }

  /** What opens and closes, and stays so when the form is made again. */
  folded(path, title, note, content) {
    const place = JSON.stringify(path);
    const toggle = (event) => (event.target.open ? this.open.add(place) : this.open.delete(place));
    const summary = element("summary", {}, quoted(title), note ? element("small", {}, ` ${note}`) : null);
    return element("details", { "data-path": place, open: this.open.has(place), toggle }, summary, content);
  }

  /** Sections or values by name, with one to add. */
  named(key, shape, value, path, removable) {
    const inner = typeof shape.additionalProperties === "object" ? shape.additionalProperties : {};
    const sections = shapes(inner, this.root).some((one) => one.properties);
    const made = Object.entries(value).map(([name, one]) => this.any(name, inner, one, [...path, name], "", true));
    const add = this.adder(path, `name of another of ${key}`, (name) => [[...path, name], sections ? this.blank(inner) : ""]);
    const remove = removable && path.length > 1 ? this.remover(path, key) : null;
    if (!made.length) return this.folded(path, key, "none", [add]);
    return element("fieldset", { "data-path": JSON.stringify(path) }, element("legend", {}, quoted(key)), remove, made, add);
  }

  /** A list of sections, with one to add. */
  list(key, shape, value, path) {
    const inner = shape.items ?? {};
    const made = value.map((one, at) => this.any(at, inner, one, [...path, at], "", true));
    const kinds = choices(shapes(inner, this.root).map((one) => one.properties?.kind ?? {}));
    const next = [...path, value.length];
    const add = kinds
      ? this.chooser(`kind of another of ${key}`, kinds, (kind) => [next, { ...this.blank(inner), kind }])
      : shapes(inner, this.root).some((one) => one.properties?.name)
        ? this.adder(path, `name of another of ${key}`, (name) => [next, { name }])
        : element("button", { type: "button", class: "another", click: () => this.edit(next, "set", {}) }, `Add to ${key}`);
    if (!made.length) return this.folded(path, key, "none", [add]);
    return element("fieldset", { "data-path": JSON.stringify(path) }, element("legend", {}, key), made, add);
  }

  /** What a new section begins with: its first kind, if it has kinds. */
  blank(node) {
    const kind = shapes(node, this.root)[0]?.properties?.kind?.const;
    return kind === undefined ? {} : { kind };
  }

  adder(path, label, made) {
    const input = element("input", { "aria-label": label, placeholder: label, id: `add-${path.join("/")}` });
    const add = () => input.value.trim() && this.add(made(input.value.trim()));
    input.addEventListener("keydown", (event) => event.key === "Enter" && add());
    return element("div", { class: "add" }, input, element("button", { type: "button", click: add, "aria-label": `add ${label}` }, "Add"));
  }

  chooser(label, kinds, made) {
    const select = element("select", { "aria-label": label }, kinds.map((kind) => element("option", {}, kind)));
    const add = () => this.add(made(select.value));
    return element("div", { class: "add" }, select, element("button", { type: "button", click: add, "aria-label": `add ${label}` }, "Add"));
  }

  add([path, value]) {
    this.edit(path, "set", value);
  }

  remover(path, title) {
    const remove = () => this.edit(path, "remove", null);
    return element("button", { type: "button", class: "remove", click: remove, "aria-label": `remove ${title}`, title: "remove" }, "×");
  }

  /** One value: a label, an input or a choice, and what it means. */
  field(key, node, value, path, note, removable = false) {
    const all = shapes(node, this.root);
    const id = `field-${path.join("/")}`;
    const found = choices(all);
    const text = value === undefined ? "" : typeof value === "object" ? asToml(value) : String(value);
    let given = text;
    const changed = (event) => {
      const now = event.target.value.trim();
      if (this.drawing || now === given.trim()) return;
      given = now;
      const wish = meant(now, all);
      if (wish.action !== "remove" || value !== undefined) this.edit(path, wish.action, wish.value);
    };
    const entered = (event) => event.key === "Enter" && changed(event);
    const control = found && (text === "" || found.includes(text))
      ? this.choice(id, found, text, node, changed)
      : element("input", { id, value: text, placeholder: example(all, node), list: this.listOf(key, path), blur: changed, keydown: entered, dir: "auto", autocomplete: "off" });
    const label = element("label", { for: id }, quoted(typeof key === "number" ? String(key + 1) : key.replaceAll("_", " ")));
    const hint = note ? element("p", { class: "hint" }, note) : null;
    const row = element("div", { class: "control" }, control, removable ? this.remover(path, key) : null);
    return element("div", { class: "field", "data-path": JSON.stringify(path) }, label, row, hint);
  }

  choice(id, found, text, node, changed) {
    const fallback = node.default === undefined || node.default === null ? "not set" : `not set (${node.default})`;
    const options = [["", fallback], ...found.map((word) => [word, word])];
    return element("select", { id, change: changed },
      options.map(([word, shown]) => element("option", { value: word, selected: word === text }, shown)));
  }

  /** The names that a field offers. */
  listOf(key, path) {
    if (key === "name" && path.includes("particles")) return "particles";
    if (key === "name" && path.includes("field")) return "coils";
    return LISTS[key] ?? null;
  }
}
