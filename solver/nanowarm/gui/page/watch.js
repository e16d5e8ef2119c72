// A program that goes on, and a run that is finished.
import { chart } from "./chart.js";
import { element, quoted } from "./elements.js";
import { get, post } from "./server.js";

const MARKS = { met: "✓", missed: "✗", unseen: "?" };
const MEANINGS = { met: "All criteria met", missed: "A criterion is missed", unseen: "A criterion saw too little" };
const MOST_LINES = 400; // that are shown

/** The panel beside the case. */
export class Watch {
  /** `changed()` hears when a run folder is made and when a program has ended, `failed(error)` of what was refused. */
  constructor(host, changed, failed) {
    this.host = host;
    this.changed = changed;
    this.failed = failed;
    this.source = null;
  }

  /** Watch a program. */
  follow(job) {
    this.source?.close();
    this.job = job;
    this.live = { time: [], regions: { "whole body": { min: [], mean: [], max: [] } } };
    this.title = element("h2", {}, { run: "Run", resume: "Going on", check: "Check with the mesh" }[job.kind]);
    this.state = element("p", { class: "state", role: "status" }, "starting");
    this.picture = element("div");
    this.lines = element("pre", { class: "lines", tabindex: "0", "aria-label": "what the program says" });
    this.stop = element("button", { type: "button", click: () => this.halt() }, job.kind === "check" ? "Stop" : "Stop and keep");
    this.row = element("div", { class: "row" }, this.stop);
    this.host.hidden = false;
    this.host.replaceChildren(this.head(this.title, job.target), this.state, this.picture, this.row, this.lines);
    this.source = new EventSource(`/api/jobs/${job.number}`);
    this.source.addEventListener("message", (event) => this.hear(JSON.parse(event.data)));
    this.source.addEventListener("end", (event) => this.finish(JSON.parse(event.data)));
    this.source.addEventListener("error", () => { if (this.source?.readyState === EventSource.CLOSED) this.state.textContent = "the connection is lost"; });
  }

  head(title, path) {
    const close = element("button", { type: "button", class: "remove", "aria-label": "close this panel", click: () => this.close() }, "×");
    return element("header", {}, title, quoted(path, { class: "path" }), close);
  }

  close() {
    this.source?.close();
    this.source = null;
    this.host.hidden = true;
  }

  hear({ text, progress }) {
    const kind = /^(warning|note):/.exec(text)?.[1] ?? "";
    this.lines.append(element("span", { class: kind || null }, text, "\n"));
    while (this.lines.childElementCount > MOST_LINES) this.lines.firstElementChild.remove();
    this.lines.scrollTop = this.lines.scrollHeight;
    if (text.startsWith("run folder ")) this.changed();
    if (!progress) {
      if (!this.live.time.length) this.state.textContent = "working";
      return;
    }
    const body = this.live.regions["whole body"];
    this.live.time.push(progress.time);
    body.min.push(progress.coldest);
    body.max.push(progress.hottest);
    if (progress.mean !== undefined) body.mean.push(progress.mean);
    const left = progress.left === undefined ? "" : `, about ${Math.round(progress.left)} s left`;
    this.state.textContent = `${progress.stage}: ${progress.time} s, ${progress.coldest} to ${progress.hottest} °C${left}`;
    this.picture.replaceChildren(chart(this.live));
  }

  async halt() {
    try {
      this.job = await post("/api/stop", { job: this.job.number });
      this.state.textContent = this.job.kind === "check" ? "stopping" : "stopping: it writes a checkpoint first";
      this.stop.textContent = "End at once";
    } catch (error) {
      this.failed(error);
    }
  }

  async finish(job) {
    this.source?.close();
    this.source = null;
    this.job = job;
    this.stop.remove();
    this.changed();
    if (job.kind === "check") {
      this.state.textContent = job.code === 0 ? "The case can be run." : "The case can't be run yet; the lines below say why.";
      this.state.className = job.code === 0 ? "state good" : "state bad";
      return;
    }
    if (job.code === 0 || job.code === 1) {
      await this.show(job.folder, this.lines);
      return;
    }
    this.state.textContent = job.stopping ? "Stopped. What was computed is kept." : "It did not end well; the lines below say why.";
    this.state.className = job.stopping ? "state" : "state bad";
    if (job.folder) this.row.append(this.goOn(job.folder));
  }

  goOn(folder) {
    const go = async () => {
      try {
        this.follow(await post("/api/jobs", { kind: "resume", target: folder }));
      } catch (error) {
        this.failed(error);
      }
    };
    return element("button", { type: "button", class: "main", click: go }, "Go on from the checkpoint");
  }

  /** Show a run folder: verdict, criteria, curves, report. */
  async show(path, lines = null) {
    this.source?.close();
    this.source = null;
    let run;
    try {
      run = await get("/api/result", { run: path });
    } catch (error) {
      this.failed(error);
      return;
    }
    this.host.hidden = false;
    const parts = [this.head(element("h2", {}, "Run"), path)];
    if (run.title) parts.push(element("p", { class: "title" }, quoted(run.title)));
    if (run.verdict) parts.push(this.verdict(run), chart(run.curves));
    else parts.push(element("p", { class: "state bad" }, "This run is not finished."), element("div", { class: "row" }, this.goOn(path)));
    if (lines) parts.push(element("details", {}, element("summary", {}, "What it said"), lines));
    this.host.replaceChildren(...parts);
  }

  verdict(run) {
    const word = MEANINGS[run.verdict] ?? run.verdict;
    const box = element("section", { class: `verdict ${run.verdict}`, "aria-label": "verdict" },
      element("p", { class: "big" }, element("span", { "aria-hidden": "true" }, `${MARKS[run.verdict] ?? ""} `), run.criteria.length ? word : "Done; no criteria asked"));
    const rows = run.criteria.map((one) => element("li", {},
      element("span", { class: `mark ${one.outcome}`, "aria-hidden": "true" }, MARKS[one.outcome] ?? ""),
      element("span", {}, `${one.kind} of `, quoted(one.region), `: ${one.outcome}`, element("small", {}, valued(one)))));
    box.append(element("ul", {}, rows));
    if (run.report) {
      box.append(element("a", { class: "button", href: `/runs/${encoded(run.path)}/report.html`, target: "_blank", rel: "noopener" }, "Open the report"));
    }
    return box;
  }
}

/** The value of a criterion beside its limit. */
function valued({ value, limit, unit, reason }) {
  if (value === null || value === undefined) return reason ?? "nothing seen";
  const digits = (number) => String(Number(Number(number).toPrecision(4)));
  return `${digits(value)} ${unit ?? ""} (limit ${digits(limit)})`;
}

function encoded(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}
