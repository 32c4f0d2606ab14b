// What the theme and the gallery leave out for keyboards and screen readers.
document.querySelectorAll(".caption[role=heading]").forEach((caption) => {
  caption.setAttribute("aria-level", "2");
});
document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "Pages");
document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
document.querySelectorAll(".sphx-glr-thumbcontainer a").forEach((link) => {
  link.setAttribute("aria-label", link.textContent);
});

// What scrolls is reached by the keyboard.
function reach() {
  document.querySelectorAll(".highlight pre, .table-wrapper").forEach((part) => {
    const scrolls =
      part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
    if (scrolls) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  });
}
reach();
addEventListener("resize", reach);
addEventListener("load", reach); // fonts may have changed widths

// The page of the search has no heading.
const article = document.querySelector("article, #search-results, main");
if (article && !document.querySelector("h1")) {
  const heading = document.createElement("h1");
  heading.textContent = "Search";
  article.prepend(heading);
}

// Tables that can be sorted by a column: largest first, then smallest, names by the alphabet.
document.querySelectorAll("table.sortable").forEach((table) => {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const cell = (row) => row.cells[column].textContent.trim().replaceAll(",", "");
    button.addEventListener("click", () => {
      const rises = head.getAttribute("aria-sort") === "descending";
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rises ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [cell(a), cell(b)];
        const order = parseFloat(x) - parseFloat(y) || x.localeCompare(y);
        return rises ? order : -order;
      });
      body.append(...rows);
    });
  });
});
