/** Colour bar, pointer and keys of the view, and when it starts. */

/** Ticks and marked levels of the colours. */
function writeScale(view, [low, high]) {
  const bar = view.live.querySelector(".view-colours"), ticks = view.live.querySelector(".view-ticks");
  view.live.querySelector(".view-scale-title").textContent = view.field.title;
  const part = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const values = high > low ? [low, ...inner(low, high, view.stage.clientWidth), high] : [low];
  ticks.replaceChildren(...values.map((value, i) => {
    const tick = Object.assign(document.createElement("span"), { textContent: text(view.offScale(value), 3) });
    tick.className = values.length < 2 ? "" : i === 0 ? "first" : i === values.length - 1 ? "last" : "";
    tick.style.left = `${100 * part(value)}%`;
    return tick;
  }));
  const inside = view.field.levels.filter(({ value }) => part(view.onScale(value)) >= 0 && part(view.onScale(value)) <= 1 && high > low);
  bar.replaceChildren(...inside.map(({ value }) => {
    const mark = document.createElement("i");
    mark.style.left = `calc(${100 * part(view.onScale(value))}% - 1px)`;
    return mark;
  }));
  const named = (levels) => levels.map(({ label }) => `${label} ${view.field.unit}`.trim()).join("; ");
  const beyond = view.field.levels.filter((level) => !inside.includes(level));
  const told = [inside.length ? `Lines: ${named(inside)}.` : "", beyond.length ? `Beyond these colours: ${named(beyond)}.` : ""];
  view.live.querySelector(".view-levels").textContent = told.join(" ").trim();
}

/** Round numbers between two, not too near to them. */
function inner(low, high, width) {
  const step = rounded((high - low) / 3), room = (high - low) * Math.max(0.09, 64 / (width || 400)), found = [];
  for (let i = Math.ceil(low / step); i * step < high; i++) if (i * step - low > room && high - i * step > room) found.push(i * step);
  return found;
}

/** Let pointer, wheel and keys turn, move and zoom. */
function followPointer(view) {
  const { canvas, camera } = view, held = new Map();
  const at = (event) => [event.offsetX, event.offsetY];
  const apart = () => { const [a, b] = [...held.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at(event));
    view.read(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return view.readSoon(...at(event));
    const wide = held.size === 2 ? apart() : 0, [x, y] = at(event), [dx, dy] = [x - before[0], y - before[1]];
    held.set(event.pointerId, [x, y]);
    if (wide) camera.closer(apart() / wide);
    const share = wide ? 0.5 : 1;
    if (event.shiftKey) camera.move(dx, dy);
    else camera.turn(0.008 * share * dx, 0.008 * share * dy);
    view.redraw(true);
  });
  for (const kind of ["touchstart", "touchmove"]) canvas.addEventListener(kind, (event) => {
    if (event.touches.length > 1 && event.cancelable) event.preventDefault(); // one finger may scroll the page, two may not
  }, { passive: false });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => held.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    view.zoom(Math.exp(-0.002 * event.deltaY));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => followKey(view, event));
}

function followKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }, way = ways[event.key];
  if (way && event.shiftKey) view.camera.move(20 * way[0], 20 * way[1]);
  else if (way) view.camera.turn(TURN * way[0], TURN * way[1]);
  else if (event.key === "+" || event.key === "=") view.camera.closer(1.25);
  else if (event.key === "-") view.camera.closer(0.8);
  else if (event.key === "Home") view.camera.reset();
  else return;
  event.preventDefault();
  view.redraw(true);
}

/** Put the view in the place of the picture. */
function stand() {
  const root = element("root");
  root.querySelector(".view-fallback").hidden = true;
  root.querySelector(".view-live").hidden = false;
  root.dataset.ready = "yes";
}

/** Show the picture again, and say why. */
function fall(why) {
  const root = element("root");
  root.dataset.ready = "failed";
  root.querySelector(".view-live").hidden = true;
  root.querySelector(".view-fallback").hidden = false;
  root.querySelector(".view-message").textContent = why;
}

/** Build the view and put it in the place of the picture. */
async function begin(root) {
  root.dataset.ready = "building";
  try {
    const live = root.querySelector(".view-live"), content = JSON.parse(element("content").textContent);
    const view = await View.of(live, content);
    await view.start();
    stand();
    view.resize();
  } catch (error) {
    fall(`This browser can't show the body in three dimensions (${error.message}); here is a picture of it.`);
  }
}

const root = element("root");
const watch = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  watch.disconnect();
  begin(root);
}, { rootMargin: "300px" });
watch.observe(root);
