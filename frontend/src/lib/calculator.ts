/** `form[data-calculator="address"]`: each change asks the server for `[data-answer]`, so that the figures are the contract's. */

export function startCalculators(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-calculator]")) start(form);
}

function start(form: HTMLFormElement): void {
  const shown = document.querySelector<HTMLElement>(form.dataset["answer"] ?? "[data-answer]");
  if (!shown) return;
  let timer = 0;
  let asked: AbortController | undefined;

  const ask = async (): Promise<void> => {
    asked?.abort();
    asked = new AbortController();
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "csrfmiddlewaretoken") fields.append(name, value);
    shown.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${form.dataset["calculator"]}?${fields}`, { signal: asked.signal, headers: { "X-Usance-Part": "answer" } });
      if (answer.ok) shown.innerHTML = await answer.text();
      shown.removeAttribute("aria-busy");
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) shown.removeAttribute("aria-busy");
    }
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), 60);
  };
  form.addEventListener("slid", soon);
  form.addEventListener("change", soon);
}
