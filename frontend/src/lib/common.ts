/** What every site needs: the theme switch, one submit per form, copying, focus on errors, countdowns. */
import { say, startSaying } from "./say";

type Theme = "light" | "dark";

function isTheme(value: string | undefined): value is Theme {
  return value === "light" || value === "dark";
}

function startTheme(): void {
  const root = document.documentElement;
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-switch]")) {
    button.addEventListener("click", () => {
      const night = matchMedia("(prefers-color-scheme: dark)").matches;
      const chosen = root.dataset["theme"];
      const now: Theme = isTheme(chosen) ? chosen : night ? "dark" : "light";
      const next: Theme = now === "dark" ? "light" : "dark";
      root.dataset["theme"] = next;
      const [prefix, secure] = location.protocol === "https:" ? ["__Host-", ";secure"] : ["", ""];
      document.cookie = `${prefix}theme=${next};path=/;max-age=31536000;samesite=lax${secure}`;
      document.dispatchEvent(new CustomEvent("themechange"));
    });
  }
}

/** The form may be sent again. */
export function release(form: HTMLFormElement): void {
  delete form.dataset["sent"];
  for (const button of form.elements) {
    if (!(button instanceof HTMLButtonElement) || button.dataset["busy"] === undefined) continue;
    button.removeAttribute("data-busy");
    button.removeAttribute("aria-disabled");
    const label = button.querySelector("[data-label]");
    if (label && button.dataset["label"]) label.textContent = button.dataset["label"];
  }
}

/** A second press of a form's button does nothing until the page comes back. */
function startSubmitGuard(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented || form.hasAttribute("data-again")) return;
    if (form.dataset["sent"] !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset["sent"] = "";
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    button.dataset["busy"] = "";
    button.setAttribute("aria-disabled", "true");
    const label = button.querySelector("[data-label]");
    if (!label || !button.dataset["busyLabel"]) return;
    button.dataset["label"] = label.textContent ?? "";
    label.textContent = button.dataset["busyLabel"];
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll<HTMLFormElement>("form[data-sent]").forEach(release);
  });
}

function startCopy(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element | null)?.closest<HTMLElement>("[data-copy]");
    if (!button) return;
    void navigator.clipboard.writeText(button.dataset["copy"] ?? "").then(() => {
      const said = button.querySelector("[data-label]") ?? button;
      const before = said.textContent;
      said.textContent = button.dataset["copied"] ?? before;
      say(said.textContent ?? "");
      setTimeout(() => (said.textContent = before), 2000);
    });
  });
}

/** The address of a fragment would lose the focus ring on Safari; so the field itself is focused. */
function startErrors(): void {
  const summary = document.querySelector<HTMLElement>("[data-errors]");
  if (!summary) return;
  summary.focus({ preventScroll: false });
  summary.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest<HTMLAnchorElement>("a[href^='#']");
    if (!link) return;
    const target = document.getElementById(link.hash.slice(1));
    const field = target?.matches("input,select,textarea") ? target : target?.querySelector<HTMLElement>("input,select,textarea");
    if (!field) return;
    event.preventDefault();
    (target?.closest(".u-field") ?? field).scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  });
}

/** `data-countdown="30"`: the button wakes up after so many seconds; its rest is shown in `[data-countdown-left]`. */
function startCountdowns(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-countdown]")) {
    let left = Number(button.dataset["countdown"]);
    const shown = button.querySelector("[data-countdown-left]");
    const tick = (): void => {
      button.setAttribute("aria-disabled", String(left > 0));
      if (shown) shown.textContent = left > 0 ? `(${left})` : "";
      if (left-- > 0) setTimeout(tick, 1000);
    };
    button.addEventListener("click", (event) => {
      if (left >= 0 && button.getAttribute("aria-disabled") === "true") event.preventDefault();
    });
    tick();
  }
}

function startAutosubmit(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-autosubmit='load']")) form.requestSubmit();
  document.addEventListener("change", (event) => {
    const form = (event.target as Element | null)?.closest<HTMLFormElement>("form[data-autosubmit='change']");
    form?.requestSubmit();
  });
}

/** A row of tabs that is wider than the window begins at the tab that is open. */
function startTabs(): void {
  for (const here of document.querySelectorAll<HTMLElement>(".u-tabs [aria-current]")) {
    const row = here.parentElement!;
    row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }
}

export function startCommon(): void {
  document.documentElement.classList.add("js");
  startSaying();
  startTheme();
  startTabs();
  startSubmitGuard();
  startCopy();
  startErrors();
  startCountdowns();
  startAutosubmit();
}
