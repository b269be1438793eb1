/** `id` + `data-poll="address"`: the part of the page that waits asks for itself again until the answer has no `data-poll`. */
import { say } from "./say";

/** What a waiting part tells; the region that came with it is new, so the page's own says it. */
function words(part: HTMLElement): string {
  return (part.querySelector("[role='status']") ?? part).textContent?.replace(/\s+/g, " ").trim() ?? "";
}

async function ask(part: HTMLElement): Promise<void> {
  const address = part.dataset["poll"] || location.href;
  const answer = await fetch(address, { headers: { "X-Usance-Poll": "1" }, credentials: "same-origin" });
  if (answer.redirected) {
    location.assign(answer.url);
    return;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (!fresh) {
    location.reload();
    return;
  }
  if (fresh.outerHTML !== part.outerHTML) {
    const [before, now] = [words(part), words(fresh)];
    part.replaceWith(fresh);
    if (now !== before) say(now);
  }
  const next = document.getElementById(part.id);
  if (next) watch(next);
}

function watch(part: HTMLElement, failures = 0): void {
  if (part.dataset["poll"] === undefined) {
    const then = part.dataset["then"];
    if (then) location.assign(then);
    return;
  }
  const seconds = Number(part.dataset["pollSeconds"] ?? 2) * 2 ** Math.min(failures, 4);
  setTimeout(() => {
    if (document.hidden) watch(part, failures);
    else ask(part).catch(() => watch(part, failures + 1));
  }, seconds * 1000);
}

export function startPolls(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-poll][id]")) watch(part);
}
