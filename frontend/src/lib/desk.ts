/** The staff's shell: menus that close themselves, bulk selection. */

function startMenus(): void {
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.d-user[open]")) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.d-user[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
    if (location.hash === "#menu") location.hash = "#main";
  });
}

/** The box in a table's head ticks all rows of the page; the count is told beside the bulk actions. */
function startBulk(): void {
  for (const form of document.querySelectorAll<HTMLElement>("[data-bulk]")) {
    const all = form.querySelector<HTMLInputElement>("[data-bulk-all]");
    const boxes = (): HTMLInputElement[] => [...form.querySelectorAll<HTMLInputElement>("[data-bulk-one]")];
    const count = form.querySelector<HTMLElement>("[data-bulk-count]");
    const tell = (): void => {
      const ticked = boxes().filter((box) => box.checked).length;
      if (count) count.textContent = String(ticked);
      if (all) {
        all.checked = ticked > 0 && ticked === boxes().length;
        all.indeterminate = ticked > 0 && ticked < boxes().length;
      }
    };
    all?.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      tell();
    });
    form.addEventListener("change", tell);
    tell();
  }
}

export function startDesk(): void {
  startMenus();
  startBulk();
}
