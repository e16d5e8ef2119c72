"use strict";
(() => {
  const collator = new Intl.Collator("en", { numeric: true });
  const plain = (cell) => cell.textContent.trim().replace(/−/g, "-");
  const number = (text) => (/^[-+]?[\d.]/.test(text) ? parseFloat(text.replace(/ × 10/, "e")) : NaN);
  const compare = (a, b) => (Number.isNaN(number(a)) || Number.isNaN(number(b)) ? collator.compare(a, b) : number(a) - number(b));

  function sort(table, heading, column) {
    const rising = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => compare(plain(a.cells[column]), plain(b.cells[column])) * (rising ? 1 : -1));
    body.append(...rows);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(table, heading, column));
    });
  }

  const wide = matchMedia("(min-width: 75rem)");
  const contents = document.getElementById("contents");
  const fit = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();

  const opened = [];
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("main details:not([open])")) { folded.open = true; opened.push(folded); }
  });
  addEventListener("afterprint", () => { for (const folded of opened.splice(0)) folded.open = false; });
})();
