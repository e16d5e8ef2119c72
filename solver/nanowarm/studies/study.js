
"use strict";
(() => {
  const byId = name => document.getElementById(name);

  // Two goals: the figure of the pair that the two lists name.
  const weighed = byId("weighed"), up = byId("goal-up"), across = byId("goal-across");
  if (up) {
    const figures = [...weighed.querySelectorAll("figure")];
    const show = changed => {
      if (up.value === across.value) {  // a goal can't be weighed against itself: the other list gives way
        const other = changed === up ? across : up;
        other.value = String((Number(changed.value) + 1) % Number(weighed.dataset.labels));
      }
      const pair = [across.value, up.value].sort().join();
      for (const figure of figures) figure.hidden = [figure.dataset.across, figure.dataset.up].sort().join() !== pair;
    };
    across.value = figures[0].dataset.across;
    up.value = figures[0].dataset.up;
    up.addEventListener("change", () => show(up));
    across.addEventListener("change", () => show(across));
    up.closest(".controls").hidden = false;
  }

  // The table: rows that are not shown are not in the page, so that thousands of them stay quick.
  const table = byId("table");
  if (!table) return;
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const filter = byId("filter"), outcome = byId("outcome"), more = byId("more"), shown = byId("shown");
  const first = Number(table.dataset.first);
  let rows = [...body.rows].map((row, place) => ({ row, place, text: null }));
  let limit = first;

  const wanted = entry => {
    entry.text ??= entry.row.textContent.toLowerCase();
    const word = filter.value.trim().toLowerCase();
    return (!word || entry.text.includes(word)) && (!outcome.value || entry.row.cells[1].textContent.trim().endsWith(outcome.value));
  };
  const show = () => {
    const found = rows.filter(wanted);
    body.replaceChildren(...found.slice(0, limit).map(entry => entry.row));
    const part = found.length > limit ? `, the first ${limit} of them shown` : "";
    shown.textContent = found.length === rows.length ? `${rows.length} runs${part}` : `${found.length} of ${rows.length} runs${part}`;
    more.hidden = found.length <= limit;
  };
  const key = (entry, column) => {
    const cell = entry.row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  };
  const compare = (one, other, sign) => {  // what is missing comes last, whichever way
    if (one === "–" || other === "–") return (one === "–") - (other === "–");
    if (typeof one === "number" && typeof other === "number") return sign * (one - other);
    return sign * String(one).localeCompare(String(other), "en", { numeric: true });
  };
  const sort = column => {
    const sign = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const keyed = rows.map(entry => [key(entry, column), entry]);
    keyed.sort((one, other) => compare(one[0], other[0], sign) || one[1].place - other[1].place);
    rows = keyed.map(pair => pair[1]);
    show();
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
  });
  const again = () => { limit = first; show(); };
  filter.addEventListener("input", again);
  outcome.addEventListener("change", again);
  more.addEventListener("click", () => { limit += 5 * first; show(); });
  byId("filters").hidden = false;
  show();
})();
