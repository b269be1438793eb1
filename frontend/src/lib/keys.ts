/** The desk by keyboard. A key presses a visible control that says so: `data-key="a"`. Rows move by j and k. */

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type='checkbox'],[type='radio'],[type='range']),textarea,select"));
}

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-rows] [data-row]")];
}

function move(by: 1 | -1): void {
  const all = rows();
  const at = all.findIndex((row) => row.classList.contains("is-here"));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
  if (!next) return;
  for (const row of all) row.classList.toggle("is-here", row === next);
  const link = next.querySelector<HTMLElement>("a,button");
  link?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function help(): void {
  const dialog = document.querySelector<HTMLDialogElement>("dialog[data-help]");
  if (dialog && !dialog.open) dialog.showModal();
}

const FIXED: Record<string, () => void> = {
  "/": () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
  j: () => move(1),
  k: () => move(-1),
  "?": help,
};

export function startKeys(): void {
  for (const button of document.querySelectorAll("[data-help-open]")) button.addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && typing(event.target)) (event.target as HTMLElement).blur();
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const fixed = FIXED[event.key];
    const control = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`);
    if (!fixed && !control) return;
    event.preventDefault();
    if (fixed) fixed();
    else if (control?.matches("input,select,textarea,[data-key-focus]")) control.focus();
    else control?.click();
  });
}
