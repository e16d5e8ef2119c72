// A text area with line numbers, colours and marks at lines with faults.
import { element } from "./elements.js";

const MOST_PAINTED = 200_000; // characters; beyond it there are no colours
const TOKENS = /(#.*$)|("""|'''|"(?:[^"\\]|\\.)*"?|'[^']*'?)|(^\s*\[+[^\]]*\]+)|([\w.-]+|"[^"]*")(?=\s*=)|(\b(?:true|false)\b|[-+]?\b\d[\d_.eE+-]*\b)/g;
const CLASSES = ["remark", "text", "head", "key", "number"];

/** The parts of a line with their class. */
function painted(line) {
  const parts = [];
  let end = 0;
  for (const match of line.matchAll(TOKENS)) {
    const group = match.slice(1).findIndex((found) => found !== undefined);
    parts.push(line.slice(end, match.index), element("span", { class: `t-${CLASSES[group]}` }, match[0]));
    end = match.index + match[0].length;
  }
  parts.push(line.slice(end));
  return parts.filter((part) => part !== "");
}

/** The text view of a case. */
export class Editor {
  constructor(host, changed) {
    this.area = element("textarea", {
      id: "text", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", dir: "ltr",
      "aria-label": "Case file, TOML", "aria-describedby": "status",
      input: () => { this.paint(); changed(); }, scroll: () => this.follow(),
    });
    this.gutter = element("div", { class: "gutter", "aria-hidden": "true" });
    this.under = element("pre", { class: "paint", "aria-hidden": "true", dir: "ltr" });
    host.append(this.gutter, element("div", { class: "code" }, this.under, this.area));
    this.marks = new Map();
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    if (text === this.area.value) return;
    this.area.value = text;
    this.marks = new Map();
    this.paint();
  }

  /** Show faults at their lines: an array of { line, message }. */
  mark(faults) {
    this.marks = new Map();
    for (const fault of faults) {
      if (fault.line) this.marks.set(fault.line, [...(this.marks.get(fault.line) ?? []), fault.message]);
    }
    this.area.setAttribute("aria-invalid", faults.length ? "true" : "false");
    this.paint();
  }

  paint() {
    const text = this.area.value;
    const lines = text.split("\n");
    const plain = text.length > MOST_PAINTED;
    this.area.classList.toggle("plain", plain);
    const shown = plain ? [] : lines.map((line, at) =>
      element("span", { class: this.marks.has(at + 1) ? "line fault" : "line" }, ...painted(line), "\n"));
    this.under.replaceChildren(...shown);
    this.gutter.replaceChildren(...lines.map((_, at) => {
      const told = this.marks.get(at + 1);
      return element("span", { class: told ? "fault" : null, title: told ? told.join("\n") : null }, String(at + 1));
    }));
    this.follow();
  }

  follow() {
    this.under.scrollTop = this.area.scrollTop;
    this.under.scrollLeft = this.area.scrollLeft;
    this.gutter.scrollTop = this.area.scrollTop;
  }

  /** Put the cursor on a line. */
  goTo(line) {
    const lines = this.area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    const height = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, (line - 6) * height);
  }
}
