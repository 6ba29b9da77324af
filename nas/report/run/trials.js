function compare(a, b) {
  return isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
}

function sortBy(head) {
  const body = head.closest("table").tBodies[0], column = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.value;
  const rows = [...body.rows].sort((a, b) => {
    const missing = (key(a) === "") - (key(b) === "");
    return missing || (down ? -1 : 1) * compare(key(a), key(b));
  });
  body.append(...rows);
}

for (const head of document.querySelectorAll("table.sortable thead th")) {
  head.firstElementChild.addEventListener("click", () => sortBy(head));
}
