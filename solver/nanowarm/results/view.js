/** The view put together: what the controls show and do. */

const STEPS = 20; // of the slider between two frames
const TURN = Math.PI / 36; // by one press of a key
const PLAYED = 10; // seconds of playing, first frame to last
const element = (name) => document.getElementById(`view-${name}`);

/** Least and largest value of frames. */
const ends = (frames) => [Math.min(...frames.map(({ low }) => low)), Math.max(...frames.map(({ high }) => high))];

class View {
  static async of(live, content) {
    const body = await Body.of(content.surface);
    return new View(live, content, body);
  }

  constructor(live, content, body) {
    Object.assign(this, { live, content, body, stage: live.querySelector(".view-stage"), canvas: live.querySelector("canvas") });
    this.palette = Uint8Array.from(atob(content.colours), (letter) => letter.charCodeAt(0));
    this.scene = new Scene(this.canvas, content.grid, this.palette);
    this.overlay = new Overlay(live.querySelector("svg"));
    this.camera = new Camera(body, body.low.map((x, axis) => body.high[axis] - x));
    this.thin = this.camera.thin;
    this.playing = null;
    this.pending = false;
    this.point = null;
    this.decoded = new Map();
    this.fillControls();
    this.listen();
  }

  fillControls() {
    const { fields, points, regions } = this.content;
    const option = (label, value) => Object.assign(document.createElement("option"), { textContent: label, value, dir: "auto" });
    element("point").append(option(points.length ? "not shown" : "none is known", ""), ...points.map(({ label }, i) => option(label, i)));
    element("point").disabled = !points.length;
    element("field").append(...fields.map(({ title }, i) => option(title, i)));
    for (const { number, name } of regions) {
      const label = document.createElement("label"), box = document.createElement("input"), words = document.createElement("span");
      Object.assign(box, { type: "checkbox", checked: true });
      Object.assign(words, { textContent: name, dir: "auto" });
      box.addEventListener("change", () => this.show(number, box.checked));
      label.append(box, words);
      element("regions").append(label);
    }
    element("regions").hidden = regions.length < 2;
    this.paintColours();
  }

  paintColours() {
    const colour = (i) => `rgb(${this.palette[3 * i]} ${this.palette[3 * i + 1]} ${this.palette[3 * i + 2]})`;
    const stops = Array.from({ length: 52 }, (_, i) => colour(5 * i));
    this.live.querySelector(".view-colours").style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  }

  listen() {
    const on = (name, kind, act) => element(name).addEventListener(kind, act);
    on("point", "change", () => this.goTo(element("point").value));
    on("field", "change", () => this.choose(Number(element("field").value)));
    on("span", "change", () => this.redraw());
    on("time", "input", () => this.redraw());
    on("play", "click", () => this.play(!this.playing));
    on("cut", "change", () => this.redraw(true));
    on("place", "input", () => this.redraw(true));
    on("closer", "click", () => this.zoom(1.25));
    on("farther", "click", () => this.zoom(0.8));
    on("reset", "click", () => { this.camera.reset(); this.redraw(true); });
    new ResizeObserver(() => this.resize()).observe(this.stage);
    window.addEventListener("beforeprint", () => this.print());
    this.canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.lose(); });
    this.canvas.addEventListener("webglcontextrestored", () => this.renew());
    followPointer(this);
  }

  /** The browser needs the memory of the picture for something else, and may give it back. */
  lose() {
    this.play(false);
    fall("The browser has taken the view's memory away, so here is a picture. The view comes back with the memory, or when the page is loaded again.");
  }

  renew() {
    this.scene = new Scene(this.canvas, this.content.grid, this.palette);
    this.stale = true;
    stand();
    this.resize();
  }

  /** Start with the field that the verdict is about, cut through its worst place. */
  async start() {
    element("cut").value = "xyz"[this.thin];
    element("place").value = 500;
    element("time").max = STEPS * Math.max(this.content.fields[0].frames.length - 1, 1);
    element("time").value = element("time").max;
    if (this.content.points.length) {
      element("point").value = 0;
      await this.goTo(0);
    } else await this.choose(0);
    const [low, high] = this.range, [least, most] = this.moment.span;
    element("span").value = most - least > (high - low) / 3 ? "run" : "moment"; // so that the first picture has colours
    this.redraw();
  }

  /** Bytes of a frame, unpacked once. */
  async frame(frame) {
    const { shape } = this.content.grid;
    if (!this.decoded.has(frame)) {
      const read = async (text) => summed(new Uint8Array(await unpacked(text)), shape);
      const [codes, known] = await Promise.all([read(frame.codes), frame.known ? read(frame.known) : null]);
      this.decoded.set(frame, { ...frame, codes, known });
    }
    return this.decoded.get(frame);
  }

  async choose(number) {
    const field = this.content.fields[number];
    const frames = await Promise.all(field.frames.map((frame) => this.frame(frame)));
    this.field = { ...field, frames };
    element("field").value = number;
    const still = frames.length < 2;
    if (still) this.play(false);
    else element("time").max = STEPS * (frames.length - 1);
    for (const name of ["time", "play", "span"]) element(name).disabled = still;
    this.redraw(true);
  }

  async goTo(number) {
    this.point = number === "" ? null : this.content.points[number];
    if (!this.point) return this.redraw();
    const field = this.content.fields.findIndex(({ name }) => name === this.point.field);
    if (field >= 0) await this.choose(field);
    if (this.point.time !== null && this.field.frames.length > 1) element("time").value = this.stepAt(this.point.time);
    const { low, high } = this.body, part = (axis) => (this.point.where[axis] - low[axis]) / (high[axis] - low[axis]);
    const axes = [0, 1, 2].sort((a, b) => (a !== this.thin) - (b !== this.thin));
    const axis = axes.find((i) => part(i) > 0.1 && part(i) < 0.9) ?? this.thin;
    element("cut").value = "xyz"[axis];
    element("place").value = Math.round(1000 * part(axis));
    this.redraw(true);
  }

  stepAt(time) {
    const times = this.field.frames.map((frame) => frame.time), after = times.findIndex((at) => at >= time);
    if (after < 1) return after < 0 ? STEPS * (times.length - 1) : 0;
    return Math.round(STEPS * (after - 1 + (time - times[after - 1]) / (times[after] - times[after - 1])));
  }

  show(region, shown) {
    if (shown) this.body.hidden.delete(region);
    else this.body.hidden.add(region);
    this.stale = true;
    this.redraw(true);
  }

  zoom(factor) {
    this.camera.closer(factor);
    this.redraw(true);
  }

  /** Least and largest value of the whole run. */
  get range() {
    return ends(this.field.frames);
  }

  get moment() {
    const { frames } = this.field, step = frames.length < 2 ? 0 : Number(element("time").value);
    const number = Math.min(Math.floor(step / STEPS), frames.length - 1), part = step / STEPS - number;
    return new Moment(this.content.grid, frames[number], frames[Math.min(number + 1, frames.length - 1)], part);
  }

  /** What is cut away: all that is beyond `distance` along `normal`, which looks to the viewer; null where nothing is. */
  get plane() {
    const how = element("cut").value, part = Number(element("place").value) / 1000, { low, high } = this.body;
    if (how === "none") return null;
    if (how === "view") {
      const normal = this.camera.towards;
      const reach = low.reduce((sum, x, axis) => sum + Math.abs(normal[axis]) * (high[axis] - x), 0);
      return { normal, distance: dot(normal, this.body.centre) + (part - 0.5) * reach, where: (part - 0.5) * reach };
    }
    const axis = "xyz".indexOf(how), where = low[axis] + part * (high[axis] - low[axis]);
    const side = this.camera.towards[axis] < 0 ? -1 : 1;
    return { normal: AXES[axis].map((x) => side * x), distance: side * where, where };
  }

  resize() {
    const { clientWidth, clientHeight } = this.stage, fine = Math.min(window.devicePixelRatio || 1, 2);
    if (!clientWidth || !clientHeight) return;
    this.camera.resize(clientWidth, clientHeight);
    this.canvas.width = Math.round(clientWidth * fine);
    this.canvas.height = Math.round(clientHeight * fine);
    this.draw(true);
  }

  /** Draw before the browser shows its next picture; `cut` where the cut or its lines may have changed. */
  redraw(cut = false) {
    this.cutStale ||= cut;
    if (this.pending || !this.field) return;
    this.pending = true;
    requestAnimationFrame(() => { this.pending = false; this.draw(this.cutStale); });
  }

  draw(cut) {
    if (!this.field) return;
    const { plane, moment, camera } = this;
    if (this.stale !== false) this.scene.fill("surface", this.body.vertices());
    if (cut && plane) this.scene.cut(this.body, plane, camera, camera.pixel);
    this.stale = this.cutStale = false;
    const whole = element("span").value === "run" && this.field.frames.length > 1;
    const span = whole ? this.range : moment.span;
    const levels = this.field.levels.map(({ value }) => this.onScale(value)).slice(0, 8);
    this.scene.draw({ camera, plane, moment, span, levels });
    this.overlay.draw(camera, this.point);
    this.write(span, plane, moment);
    this.last = { plane, moment };
  }

  /** A value where the field's colours have it, and the value there. */
  onScale(value) {
    return this.field.scale === "linear" ? value : Math.log10(Math.max(value, 1e-300));
  }

  offScale(value) {
    return this.field.scale === "linear" ? value : 10 ** value;
  }

  write(span, plane, moment) {
    writeScale(this, span);
    const still = this.field.frames.length < 2, when = still ? "of the whole run" : this.when(moment);
    const cut = plane ? this.whereCut(plane) : "not cut";
    element("time-text").textContent = still ? "– the whole run" : when;
    element("time").setAttribute("aria-valuetext", when);
    element("place").disabled = !plane;
    element("place-text").textContent = plane ? `${text(Number(plane.where.toFixed(2)))} mm` : "–";
    element("place").setAttribute("aria-valuetext", element("place-text").textContent);
    const worst = this.point ? ` The ring is where it is worst for the criterion ${this.point.label}.` : "";
    element("caption").textContent = `${this.field.title}, ${when}; ${cut}.${worst}`;
    this.canvas.setAttribute("aria-label", `The body in three dimensions, coloured by ${this.field.title}`);
  }

  whereCut(plane) {
    const how = element("cut").value, where = `${text(Number(plane.where.toFixed(2)))} mm`;
    return how === "view" ? `cut facing the viewer, ${where} before the middle` : `cut at ${how} = ${where}`;
  }

  /** Time and stage in words. */
  when({ first, second, part }) {
    const time = first.time + part * (second.time - first.time), end = this.field.frames.at(-1).time;
    const stage = this.content.stages.find(({ start_s, end_s }) => time >= start_s - 1e-9 && time <= end_s + 1e-9);
    const [factor, name] = end < 600 ? [1, "s"] : end < 36000 ? [60, "min"] : [3600, "h"];
    return `${text(time / factor)} ${name}${stage ? `, ${stage.name}` : ""}`;
  }

  play(on) {
    cancelAnimationFrame(this.playing ?? 0);
    this.playing = null;
    element("play").textContent = on ? "Pause" : "Play";
    if (!on) return;
    const slider = element("time"), most = Number(slider.max);
    let from = Number(slider.value) >= most ? 0 : Number(slider.value), begun = null;
    const step = (now) => {
      begun ??= now;
      slider.value = Math.round(from + ((now - begun) / 1000 / PLAYED) * most);
      this.redraw();
      if (Number(slider.value) >= most) this.play(false);
      else this.playing = requestAnimationFrame(step);
    };
    this.playing = requestAnimationFrame(step);
  }

  /** Read once before the next picture, however often the pointer moves. */
  readSoon(x, y) {
    if (!this.pointed) requestAnimationFrame(() => { this.read(...this.pointed); this.pointed = null; });
    this.pointed = [x, y];
  }

  /** The value under pixels of the stage. */
  read(x, y) {
    if (!this.last) return;
    const seen = this.body.seen(this.camera.under(x, y), this.camera.towards, this.last.plane);
    element("value").textContent = seen ? this.told(seen) : "Point at the body to read values.";
  }

  told({ place, region }) {
    const value = this.last.moment.at(place), name = this.content.regions.find(({ number }) => number === region).name;
    const shown = value === null ? "no value" : `${text(this.offScale(value), 3)} ${this.field.unit}`.trim();
    return `${shown} in ${name} at (${place.map((x) => text(Number(x.toFixed(2)))).join(", ")}) mm`;
  }

  print() {
    this.draw(true);
    const image = this.live.querySelector(".view-print");
    image.alt = element("caption").textContent;
    image.src = this.canvas.toDataURL();
    image.hidden = false;
  }
}
