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
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
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
