/** Where the body is looked at from (parallel, z upwards), and what is drawn over the picture. */

const SVG = "http://www.w3.org/2000/svg";
const AXES = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

class Camera {
  /** Home is across the body's shortest axis, with the longer of the others upright or from left to right. */
  constructor(body, extent) {
    const thin = extent.indexOf(Math.min(...extent));
    const home = [[0.45, 0.35], [0.45 - Math.PI / 2, 0.35], [(extent[0] > extent[1] ? -Math.PI / 2 : 0) + 0.3, 0.85]][thin];
    Object.assign(this, { body, extent, thin, home });
    this.reset();
    this.resize(1, 1);
  }

  reset() {
    [this.azimuth, this.elevation] = this.home;
    this.zoom = 1;
    this.middle = this.body.centre;
    const [wide, high] = [this.right, this.up].map((direction) => dot(direction.map(Math.abs), this.extent));
    Object.assign(this, { wide: 1.04 * wide, high: 1.1 * high });
  }

  /** Width and height in pixels of the page. */
  resize(width, height) {
    Object.assign(this, { width, height });
  }

  /** How many mm a pixel of the page is. */
  get pixel() {
    return Math.max(this.wide / this.width, this.high / this.height) / this.zoom;
  }

  get towards() {
    const [a, e] = [this.azimuth, this.elevation];
    return [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  }

  get right() {
    return [-Math.sin(this.azimuth), Math.cos(this.azimuth), 0];
  }

  get up() {
    return cross(this.towards, this.right);
  }

  get light() {
    return unit(plus(plus(this.towards, this.up, 0.45), this.right, 0.3));
  }

  turn(right, up) {
    this.azimuth -= right;
    this.elevation = Math.min(Math.max(this.elevation + up, -Math.PI / 2), Math.PI / 2);
  }

  move(right, up) {
    this.middle = plus(plus(this.middle, this.right, -right * this.pixel), this.up, up * this.pixel);
  }

  closer(factor) {
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.5), 20);
  }

  /** From places to the picture, columns one after another. */
  get matrix() {
    const rows = [[this.right, 2 / this.pixel / this.width], [this.up, 2 / this.pixel / this.height], [this.towards, -0.3 / this.body.radius]];
    const columns = AXES.map((_, axis) => [...rows.map(([direction, factor]) => factor * direction[axis]), 0]);
    return [...columns.flat(), ...rows.map(([direction, factor]) => -factor * dot(direction, this.middle)), 1];
  }

  /** Pixels of the page, from the left and the top, of a place. */
  seenAt(place) {
    const away = plus(place, this.middle, -1);
    return [this.width / 2 + dot(away, this.right) / this.pixel, this.height / 2 - dot(away, this.up) / this.pixel];
  }

  /** A place under pixels of the page. */
  under(x, y) {
    return plus(plus(this.middle, this.right, (x - this.width / 2) * this.pixel), this.up, (this.height / 2 - y) * this.pixel);
  }
}

/** Scale, axes and the worst place over the picture. */
class Overlay {
  constructor(svg) {
    this.svg = svg;
  }

  add(name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    this.svg.append(element);
  }

  line(from, to, width = 2) {
    const [x1, y1, x2, y2] = [...from, ...to];
    this.add("line", { x1, y1, x2, y2, stroke: "#fff", "stroke-width": width + 2, "stroke-linecap": "round" });
    this.add("line", { x1, y1, x2, y2, stroke: "#1a1a1a", "stroke-width": width, "stroke-linecap": "round" });
  }

  draw(camera, point) {
    this.svg.setAttribute("viewBox", `0 0 ${camera.width} ${camera.height}`);
    this.svg.replaceChildren();
    this.drawScale(camera);
    this.drawAxes(camera);
    if (point) this.drawPoint(camera, point);
  }

  drawScale(camera) {
    const length = rounded(camera.pixel * Math.min(120, camera.width / 4)), wide = length / camera.pixel;
    const y = camera.height - 14, x = camera.width - 14;
    this.line([x - wide, y], [x, y]);
    this.add("text", { x: x - wide / 2, y: y - 7, "text-anchor": "middle" }, `${text(length)} mm`);
  }

  drawAxes(camera) {
    const [x, y] = [38, camera.height - 38];
    const ends = AXES.map((axis, number) => ({ name: "xyz"[number], dx: dot(axis, camera.right), dy: -dot(axis, camera.up), depth: dot(axis, camera.towards) }));
    for (const { name, dx, dy } of ends.sort((a, b) => a.depth - b.depth)) {
      this.line([x, y], [x + 20 * dx, y + 20 * dy]);
      this.add("text", { x: x + 29 * dx, y: y + 29 * dy + 4, "text-anchor": "middle" }, name);
    }
  }

  drawPoint(camera, { where, label }) {
    const [cx, cy] = camera.seenAt(where);
    for (const [stroke, width] of [["#fff", 5], ["#1a1a1a", 2]]) {
      this.add("circle", { cx, cy, r: 8, fill: "none", stroke, "stroke-width": width });
      this.add("circle", { cx, cy, r: 0.6, fill: "none", stroke, "stroke-width": width });
    }
    const left = cx > camera.width / 2, short = label.length > 40 ? `${label.slice(0, 39)}…` : label;
    this.add("text", { x: cx + (left ? -14 : 14), y: cy - 10, "text-anchor": left ? "end" : "start", direction: "ltr" }, `worst: ${short}`);
  }
}

/** The largest of 1, 2 and 5 times a power of ten that is no more than a number. */
function rounded(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return power * (number >= 5 * power ? 5 : number >= 2 * power ? 2 : 1);
}

/** A number as people read it, to some significant digits. */
function text(number, digits = 4) {
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size >= 1e5 || size < 1e-3) {
    const [mantissa, power] = number.toExponential(digits - 1).split("e");
    const raised = [...String(Number(power))].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");
    const front = String(Number(mantissa)).replace("-", "−");
    return front === "1" ? `10${raised}` : `${front} × 10${raised}`;
  }
  return String(Number(number.toPrecision(size >= 10 ** digits ? 6 : digits))).replace("-", "−");
}
