// Tables with the class "sortable" are sorted by a button in each heading; without this they are plain tables.
"use strict";

const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// What a row is sorted by: a number where the cell is one, else its text; an empty cell is always last.
function valueOf(row, column) {
  const cell = row.cells[column];
  const text = (cell.dataset.value ?? cell.textContent).trim();
  if (text === "" || text === "–") return null;
  const number = Number(text.replaceAll(",", "").replace("−", "-").replace(/ %$/, ""));
  return Number.isNaN(number) ? text : number;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return order.compare(String(one), String(other));
}

function sort(table, column, direction) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
  const sign = direction === "ascending" ? 1 : -1;
  rows.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * compare(one, other);
  });
  body.append(...rows.map(([, row]) => row));
  for (const heading of table.tHead.rows[0].cells) heading.removeAttribute("aria-sort");
  table.tHead.rows[0].cells[column].setAttribute("aria-sort", direction);
}

// By which column a table is sorted, and which way; the column is -1 where it is as it came.
function sortedBy(table) {
  const headings = [...table.tHead.rows[0].cells];
  const column = headings.findIndex((heading) => heading.hasAttribute("aria-sort"));
  return [column, headings[column]?.getAttribute("aria-sort")];
}

function prepareTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    for (const heading of table.tHead.rows[0].cells) {
      if (heading.querySelector(".sort")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...heading.childNodes);
      heading.append(button);
    }
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".sort");
  if (!button) return;
  const heading = button.closest("th");
  const isUp = heading.getAttribute("aria-sort") === "ascending";
  sort(heading.closest("table"), heading.cellIndex, isUp ? "descending" : "ascending");
});

prepareTables();
