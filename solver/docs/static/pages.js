// What the pages can do: tables of the class "sortable" are sorted by a click on a head, a second one the other way round; the theme is completed.
"use strict";

/** What a cell is sorted by: its number where it begins with one, else its text. */
function sortingKey(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = Number.parseFloat(text.replace("−", "-"));
  return { text, number };
}

/** Order of two keys; numbers come before texts. */
function compared(one, other) {
  const [first, second] = [Number.isNaN(one.number), Number.isNaN(other.number)];
  if (first !== second) return first ? 1 : -1;
  return (first ? 0 : one.number - other.number) || one.text.localeCompare(other.text, "en");
}

/** Sorts the rows of a table by a column, in the other direction each time. */
function sortBy(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => ({ row, key: sortingKey(row, column) }));
  keyed.sort((one, other) => direction * compared(one.key, other.key));
  body.append(...keyed.map((entry) => entry.row));
}

/** Puts a button into every head of a table. */
function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, column));
    head.append(button);
  });
}

/** What the theme leaves out for those who read with keys or by ear. */
function completeTheme() {
  for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");
  for (const [aside, name] of [[".sidebar-drawer", "Site"], [".toc-drawer", "This page"]]) document.querySelector(aside)?.setAttribute("aria-label", name);
  for (const scrolled of document.querySelectorAll(".highlight pre, .table-wrapper, .equation")) {
    if (scrolled.scrollWidth > scrolled.clientWidth) scrolled.tabIndex = 0;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  completeTheme();
  document.querySelectorAll("table.sortable").forEach((table) => {
    if (table.tHead && table.tBodies[0].rows.length > 1) makeSortable(table);
  });
});
