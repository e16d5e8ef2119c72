/** The body: its surfaces and the fields on the grid around it. Lengths in mm. */

const OUTSIDE = -1;
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const plus = (a, b, factor = 1) => [a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2]];
const unit = (a) => a.map((x) => x / (Math.hypot(...a) || 1));

/** Bytes of a compressed text. */
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Codes of a field from their differences along z, y and x; sums of bytes wrap around as they should. */
function summed(codes, [nx, ny, nz]) {
  for (const [stride, count] of [[1, nx], [nx, ny], [nx * ny, nz]]) {
    const block = stride * count;
    for (let first = 0; first < codes.length; first += block) {
      for (let i = first + stride; i < first + block; i++) codes[i] += codes[i - stride];
    }
  }
  return codes;
}

/** Surfaces of a body: triangles between two regions each, of which some are shown. */
class Body {
  constructor(surface, points, triangles) {
    const count = points.length / 3;
    this.low = surface.low;
    this.high = surface.high;
    this.centre = this.low.map((x, axis) => (x + this.high[axis]) / 2);
    this.radius = Math.hypot(...this.low.map((x, axis) => this.high[axis] - x)) / 2;
    this.points = new Float32Array(points.length);
    for (let axis = 0; axis < 3; axis++) {
      const step = (this.high[axis] - this.low[axis]) / 65535;
      for (let i = 0; i < count; i++) this.points[3 * i + axis] = this.low[axis] + step * points[axis * count + i];
    }
    this.triangles = triangles;
    for (let i = 1; i < triangles.length; i++) triangles[i] += triangles[i - 1];
    this.sides = surface.patches.flatMap(([first, second, number]) => Array(number).fill([first, second]));
    this.hidden = new Set();
  }

  static async of(surface) {
    const [points, triangles] = await Promise.all([unpacked(surface.points), unpacked(surface.triangles)]);
    return new Body(surface, new Uint16Array(points), new Int32Array(triangles));
  }

  /** Whether a region is shown. */
  shown(region) {
    return region !== OUTSIDE && !this.hidden.has(region);
  }

  corner(triangle, number) {
    const i = 3 * this.triangles[3 * triangle + number];
    return [this.points[i], this.points[i + 1], this.points[i + 2]];
  }

  /** 1 where a triangle is seen from its first region's outside, -1 from its second's, 0 where it can't be seen. */
  facing(triangle) {
    const [first, second] = this.sides[triangle].map((region) => this.shown(region));
    return first === second ? 0 : first ? 1 : -1;
  }

  /** Places and normals of what is seen from outside, six numbers a corner; edges of more than 50 degrees stay sharp. */
  vertices() {
    const seen = this.sides.map((_, i) => i).filter((i) => this.facing(i));
    const normals = new Map(), around = new Map();
    for (const i of seen) {
      const [a, b, c] = [0, 1, 2].map((number) => this.corner(i, number));
      normals.set(i, cross(plus(b, a, -1), plus(c, a, -1)).map((x) => this.facing(i) * x));
      for (let k = 0; k < 3; k++) {
        const node = this.triangles[3 * i + k];
        if (!around.has(node)) around.set(node, []);
        around.get(node).push(i);
      }
    }
    const found = new Float32Array(18 * seen.length);
    let at = 0;
    for (const i of seen) {
      const own = unit(normals.get(i));
      for (const k of this.facing(i) > 0 ? [0, 1, 2] : [0, 2, 1]) {
        let sum = [0, 0, 0];
        for (const j of around.get(this.triangles[3 * i + k])) {
          const normal = normals.get(j);
          if (dot(normal, own) > 0.64 * Math.hypot(...normal)) sum = plus(sum, normal);
        }
        found.set([...this.corner(i, k), ...unit(sum)], at);
        at += 6;
      }
    }
    return found;
  }

  /** Lines in which a plane meets the edges of shown regions, as pairs of places. */
  slice({ normal, distance }) {
    const lines = [];
    this.sides.forEach((sides, i) => {
      if (!sides.some((region) => this.shown(region))) return;
      const corners = [0, 1, 2].map((number) => this.corner(i, number));
      const above = corners.map((place) => dot(normal, place) - distance);
      const ends = [];
      for (let k = 0; k < 3; k++) {
        const [from, to] = [above[k], above[(k + 1) % 3]];
        if (from > 0 !== to > 0) {
          const [a, b] = [corners[k], corners[(k + 1) % 3]];
          ends.push(plus(a, plus(b, a, -1), from / (from - to)));
        }
      }
      if (ends.length === 2) lines.push(ends);
    });
    return lines;
  }

  /** The place that is seen along a line of sight and its region; null where there is none.
   *  `start` is any place on the line, `towards` the direction to the viewer. */
  seen(start, towards, plane) {
    const slope = plane ? dot(plane.normal, towards) : 0;
    const cut = slope > 1e-6 ? (plane.distance - dot(plane.normal, start)) / slope : Infinity;
    const inside = new Map();
    let nearest = -Infinity, region = null;
    this.sides.forEach((sides, i) => {
      const depth = this.depth(i, start, towards);
      if (depth === null || depth > cut) return;
      for (const side of sides) inside.set(side, !inside.get(side));
      if (depth > nearest && this.facing(i)) {
        nearest = depth;
        region = sides.find((side) => this.shown(side));
      }
    });
    for (const [side, odd] of inside) if (odd && this.shown(side)) [nearest, region] = [cut, side];
    return Number.isFinite(nearest) ? { place: plus(start, towards, nearest), region } : null;
  }

  /** How far towards the viewer a line of sight meets a triangle; null where it passes by (Möller and Trumbore 1997). */
  depth(triangle, start, towards) {
    const a = this.corner(triangle, 0);
    const b = plus(this.corner(triangle, 1), a, -1), c = plus(this.corner(triangle, 2), a, -1);
    const p = cross(towards, c), determinant = dot(b, p);
    if (Math.abs(determinant) < 1e-12) return null;
    const s = plus(start, a, -1), u = dot(s, p) / determinant;
    if (u < 0 || u > 1) return null;
    const q = cross(s, b), v = dot(towards, q) / determinant;
    return v < 0 || u + v > 1 ? null : dot(c, q) / determinant;
  }
}

/** A field at a moment: two frames with bytes for the grid, and how much there is of the second. */
class Moment {
  constructor(grid, first, second, part) {
    Object.assign(this, { grid, first, second, part });
  }

  /** Least and largest value at this moment. */
  get span() {
    const { first, second, part } = this;
    return [Math.min(first.low, part ? second.low : first.low), Math.max(first.high, part ? second.high : first.high)];
  }

  /** The value at a place; null where the field has none. */
  at(place) {
    const { first, second, part } = this;
    if (first.known && this.between(first.known, place) < 0.5) return null;
    const value = ({ low, high, codes }) => low + (high - low) * this.between(codes, place);
    return (1 - part) * value(first) + (part ? part * value(second) : 0);
  }

  /** Bytes interpolated at a place, from 0 to 1. */
  between(codes, place) {
    const { origin, spacing, shape } = this.grid;
    const steps = place.map((x, axis) => Math.min(Math.max((x - origin[axis]) / spacing, 0), shape[axis] - 1));
    const base = steps.map((x, axis) => Math.min(Math.floor(x), shape[axis] - 2));
    const rest = steps.map((x, axis) => x - base[axis]);
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
      const bits = [corner & 1, (corner >> 1) & 1, corner >> 2];
      const share = bits.reduce((product, bit, axis) => product * (bit ? rest[axis] : 1 - rest[axis]), 1);
      const [i, j, k] = bits.map((bit, axis) => base[axis] + bit);
      sum += share * codes[i + shape[0] * (j + shape[1] * k)];
    }
    return sum / 255;
  }
}
