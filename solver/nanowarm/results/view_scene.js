/** What is drawn, with WebGL 2. */

const VERTEX = `#version 300 es
in vec3 place; in vec3 normal;
uniform mat4 camera;
out vec3 at, facing;
centroid out vec3 held;      // never beyond its triangle: what decides on which side of the cut it is
void main() { at = held = place; facing = normal; gl_Position = camera * vec4(place, 1.0); }`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;
in vec3 at, facing;
centroid in vec3 held;
uniform sampler3D first, second;
uniform sampler2D colours;
uniform vec3 scale, shift;       // from places to the grid
uniform vec4 plane, ranges;      // what is cut away; low and extent of both frames
uniform vec2 span;               // low and extent of the colours
uniform float part, lit, line;   // of the second frame; whether shaded; whether the line of a cut
uniform float levels[8];
uniform int marked;
uniform bool moving;             // whether the second texture is a frame, else tells where there are values
uniform vec3 light, towards;
out vec4 colour;
void main() {
  vec3 where = at * scale + shift;
  float a = texture(first, where).r, b = texture(second, where).r;
  float value = ranges.x + ranges.y * a;
  if (moving) value = mix(value, ranges.z + ranges.w * b, part);
  float change = fwidth(value);
  if (lit > 0.0 && dot(plane.xyz, held) > plane.w) discard;
  if (line > 0.0) { colour = vec4(0.07, 0.07, 0.07, 1.0); return; }
  float level = span.y > 0.0 ? clamp((value - span.x) / span.y, 0.0, 1.0) : 0.5;
  vec3 shown = texture(colours, vec2((level * 255.0 + 0.5) / 256.0, 0.5)).rgb;
  float clear = lit > 0.0 ? smoothstep(0.15, 0.45, abs(dot(normalize(facing), towards))) : 1.0;
  for (int i = 0; i < marked; i++) {
    float away = change > 1e-6 * span.y ? abs(value - levels[i]) / change : 9.0;
    shown = mix(shown, vec3(1.0), (1.0 - lit) * (1.0 - smoothstep(1.4, 2.4, away)));
    shown = mix(shown, vec3(0.0), clear * (1.0 - smoothstep(0.5, 1.2, away)));
  }
  if (!moving && b < 0.5) shown = vec3(mod(gl_FragCoord.x + gl_FragCoord.y, 12.0) < 3.0 ? 0.62 : 0.8);
  float shade = lit > 0.0 ? 0.62 + 0.38 * abs(dot(normalize(facing), light)) : 1.0;
  colour = vec4(shown * shade, 1.0);
}`;

const LINE_WIDTH = 0.9; // half of it, in pixels of the page

class Scene {
  /** Throws where the browser has no WebGL 2. */
  constructor(canvas, grid, palette) {
    const gl = canvas.getContext("webgl2", { stencil: true, antialias: true, alpha: true });
    if (!gl) throw new Error("no WebGL 2");
    Object.assign(this, { canvas, gl, grid });
    this.program = this.linked();
    gl.useProgram(this.program);
    this.names = new Map();
    const step = grid.shape.map((count) => 1 / (grid.spacing * count));
    gl.uniform3fv(this.uniform("scale"), step);
    gl.uniform3fv(this.uniform("shift"), grid.shape.map((count, axis) => 0.5 / count - grid.origin[axis] * step[axis]));
    ["first", "second", "colours"].forEach((name, number) => gl.uniform1i(this.uniform(name), number));
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.textures = [gl.TEXTURE_3D, gl.TEXTURE_3D, gl.TEXTURE_2D].map((kind, number) => this.texture(kind, number));
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, palette);
    this.buffers = { surface: this.buffer(), cut: this.buffer(), lines: this.buffer() };
    this.loaded = [null, null];
  }

  linked() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, "place");
    gl.bindAttribLocation(program, 1, "normal");
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "no program");
    return program;
  }

  uniform(name) {
    if (!this.names.has(name)) this.names.set(name, this.gl.getUniformLocation(this.program, name));
    return this.names.get(name);
  }

  texture(kind, number) {
    const { gl } = this, texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + number);
    gl.bindTexture(kind, texture);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(kind, side, gl.CLAMP_TO_EDGE);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(kind, filter, gl.LINEAR);
    return texture;
  }

  buffer() {
    const { gl } = this, array = gl.createVertexArray(), buffer = gl.createBuffer();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const number of [0, 1]) {
      gl.enableVertexAttribArray(number);
      gl.vertexAttribPointer(number, 3, gl.FLOAT, false, 24, 12 * number);
    }
    return { array, buffer, count: 0 };
  }

  fill(name, vertices) {
    const { gl } = this, buffer = this.buffers[name];
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.DYNAMIC_DRAW);
    buffer.count = vertices.length / 6;
  }

  load(number, codes) {
    if (this.loaded[number] === codes) return;
    const { gl } = this, [nx, ny, nz] = this.grid.shape;
    gl.activeTexture(gl.TEXTURE0 + number);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8, nx, ny, nz, 0, gl.RED, gl.UNSIGNED_BYTE, codes);
    this.loaded[number] = codes;
  }

  /** The cut and its lines, as wide as they are to look; `pixel` is the size of one of the page [mm]. */
  cut(body, plane, camera, pixel) {
    const [a, b] = axesIn(plane.normal), middle = plus(body.centre, plane.normal, plane.distance - dot(plane.normal, body.centre));
    const reach = 1.5 * body.radius, towards = camera.towards.map((x) => 0.006 * body.radius * x);
    const corner = (i, j) => [...plus(plus(middle, a, i * reach), b, j * reach), ...plane.normal];
    const corners = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
    this.fill("cut", new Float32Array([0, 1, 2, 0, 2, 3].flatMap((number) => corners[number])));
    const lines = [];
    for (const [from, to] of body.slice(plane)) {
      const along = unit(plus(to, from, -1)), aside = cross(plane.normal, along).map((x) => LINE_WIDTH * pixel * x);
      const over = along.map((x) => 0.5 * LINE_WIDTH * pixel * x);
      const [start, end] = [plus(plus(from, over, -1), towards), plus(plus(to, over), towards)];
      const ends = [plus(start, aside), plus(start, aside, -1), plus(end, aside, -1), plus(end, aside)];
      for (const number of [0, 1, 2, 0, 2, 3]) lines.push(...ends[number], ...plane.normal);
    }
    this.fill("lines", new Float32Array(lines));
  }

  /** One picture. The cut is filled where more surfaces end than begin behind it. */
  draw({ camera, plane, moment, span, levels }) {
    const { gl } = this, { first, second, part } = moment;
    const moving = !first.known;
    this.load(0, first.codes);
    this.load(1, first.known || second.codes);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.uniformMatrix4fv(this.uniform("camera"), false, camera.matrix);
    gl.uniform3fv(this.uniform("light"), camera.light);
    gl.uniform3fv(this.uniform("towards"), camera.towards);
    gl.uniform4fv(this.uniform("plane"), plane ? [...plane.normal, plane.distance] : [0, 0, 0, 1]);
    gl.uniform4f(this.uniform("ranges"), first.low, first.high - first.low, second.low, second.high - second.low);
    gl.uniform2f(this.uniform("span"), span[0], span[1] - span[0]);
    gl.uniform1f(this.uniform("part"), part);
    gl.uniform1i(this.uniform("moving"), moving);
    gl.uniform1i(this.uniform("marked"), levels.length);
    if (levels.length) gl.uniform1fv(this.uniform("levels"), levels);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    this.pass("surface", 1, 0);
    if (plane) this.drawCut();
  }

  drawCut() {
    const { gl } = this;
    gl.disable(gl.DEPTH_TEST);
    gl.colorMask(false, false, false, false);
    gl.enable(gl.STENCIL_TEST);
    gl.stencilFunc(gl.ALWAYS, 0, 255);
    gl.stencilOpSeparate(gl.BACK, gl.KEEP, gl.KEEP, gl.INCR_WRAP);
    gl.stencilOpSeparate(gl.FRONT, gl.KEEP, gl.KEEP, gl.DECR_WRAP);
    this.pass("surface", 1, 0);
    gl.colorMask(true, true, true, true);
    gl.enable(gl.DEPTH_TEST);
    gl.stencilFunc(gl.NOTEQUAL, 0, 255);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
    this.pass("cut", 0, 0);
    gl.disable(gl.STENCIL_TEST);
    this.pass("lines", 0, 1);
  }

  pass(name, lit, line) {
    const { gl } = this, { array, count } = this.buffers[name];
    gl.uniform1f(this.uniform("lit"), lit);
    gl.uniform1f(this.uniform("line"), line);
    gl.bindVertexArray(array);
    gl.drawArrays(gl.TRIANGLES, 0, count);
  }
}

/** Two directions in a plane, at right angles. */
function axesIn(normal) {
  const a = unit(cross(normal, Math.abs(normal[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0]));
  return [a, cross(normal, a)];
}
