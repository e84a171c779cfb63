"use strict";
const form = document.querySelector(".filters");
const wanted = (name) => new Set([...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value));
form.hidden = false;
form.addEventListener("change", () => {
  const stacks = wanted("stack");
  const kinds = wanted("kind");
  for (const cell of document.querySelectorAll("[data-kinds]")) {
    const shown = stacks.has(cell.dataset.stack) && cell.dataset.kinds.split(" ").some((kind) => kinds.has(kind));
    cell.classList.toggle("filtered", !shown);
  }
});
