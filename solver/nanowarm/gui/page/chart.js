// Temperature over time: a band from coldest to hottest, a line for the mean.
import { element, shape } from "./elements.js";

const WIDTH = 480;
const HEIGHT = 240;
const LEFT = 48;
const BOTTOM = 34;
const TOP = 10;
const RIGHT = 12;

/** Round numbers between two values, about as many as asked for. */
function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return found;
}

/** A drawing of curves: { time, regions: { name: { min, mean, max } } }; `mean` may be missing. */
export function chart(curves) {
  const { time, regions } = curves;
  const names = Object.keys(regions);
  const all = names.flatMap((name) => [...regions[name].min, ...regions[name].max]);
  const figure = element("figure", { class: "chart" });
  if (time.length < 2) {
    figure.append(element("p", { class: "hint" }, "The curve begins with the second line of progress, after some seconds."));
    return figure;
  }
  const [start, end] = [time[0], time[time.length - 1] > time[0] ? time[time.length - 1] : time[0] + 1];
  let [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
  const margin = Math.max(1, 0.06 * (high - low));
  [low, high] = [low - margin, high + margin];
  const x = (t) => LEFT + ((t - start) / (end - start)) * (WIDTH - LEFT - RIGHT);
  const y = (v) => HEIGHT - BOTTOM - ((v - low) / (high - low)) * (HEIGHT - BOTTOM - TOP);
  const line = (values) => values.map((v, at) => `${at ? "L" : "M"}${x(time[at]).toFixed(1)},${y(v).toFixed(1)}`).join("");
  const back = (values) => values.map((v, at) => `L${x(time[at]).toFixed(1)},${y(v).toFixed(1)}`).reverse().join("");
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": told(curves) });
  for (const value of ticks(low, high, 5)) {
    drawing.append(shape("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(Number(value.toPrecision(6)))));
  }
  for (const value of ticks(start, end, 5)) {
    drawing.append(shape("text", { x: x(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, String(Number(value.toPrecision(6)))));
  }
  drawing.append(shape("text", { x: WIDTH - RIGHT, y: HEIGHT - 3, "text-anchor": "end", class: "axis" }, "time [s]"),
    shape("text", { x: 2, y: HEIGHT - 3, class: "axis" }, "temperature [°C]"));
  names.forEach((name, at) => {
    const { min, mean, max } = regions[name];
    const group = shape("g", { class: `series s${at % 6}` });
    group.append(shape("path", { class: "band", d: `${line(max)}${back(min)}Z` }),
      shape("path", { class: "edge", d: line(min) }), shape("path", { class: "edge", d: line(max) }));
    if (mean?.length === time.length) group.append(shape("path", { class: "mean", d: line(mean) }));
    drawing.append(group);
  });
  const means = names.some((name) => regions[name].mean?.length === time.length);
  const key = names.map((name, at) => element("span", { class: `key s${at % 6}` }, element("bdi", {}, name)));
  figure.append(drawing, element("figcaption", {}, key, element("span", { class: "hint" },
    means ? "band: coldest to hottest; line: mean" : "band: coldest to hottest")));
  return figure;
}

/** The curves in a sentence. */
function told({ time, regions }) {
  const last = time.length - 1;
  const parts = Object.entries(regions).map(([name, { min, max }]) =>
    `${name} from ${min[0].toFixed(1)} to ${max[0].toFixed(1)} degC at first, from ${min[last].toFixed(1)} to ${max[last].toFixed(1)} degC in the end`);
  return `Temperature over ${Number((time[last] - time[0]).toPrecision(3))} s: ${parts.join("; ")}`;
}
