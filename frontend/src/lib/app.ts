/** The site as an app: its service worker, and forms that are sent while there is no connection. */

import { release } from "./common";

function startWorker(): void {
  if (!("serviceWorker" in navigator) || !document.querySelector("link[rel='manifest']")) return;
  const register = (): void => void navigator.serviceWorker.register("/worker.js", { updateViaCache: "none" }).catch(() => undefined);
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
  void navigator.serviceWorker.ready.then((worker) => worker.active?.postMessage(document.documentElement.lang));
}

/**
 * A form that cannot be sent stays as it is, with the notice above its button. When the browser knows that it is offline we stop the
 * form ourselves; when it finds out on the way, the worker answers with nothing, which leaves the page where it is, and tells us.
 */
function startOfflineForms(): void {
  const notice = document.querySelector<HTMLElement>("[data-offline]");
  if (!notice) return;
  const show = (form: HTMLFormElement): void => {
    const place = form.querySelector(".u-actions") ?? form.lastElementChild;
    place?.before(notice);
    notice.hidden = false;
    notice.tabIndex = -1;
    notice.focus();
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented) return;
    notice.hidden = true;
    if (navigator.onLine) return;
    event.preventDefault();
    show(form);
  });
  navigator.serviceWorker?.addEventListener("message", (event) => {
    const form = document.querySelector<HTMLFormElement>("form[data-sent]");
    if (event.data !== "not sent" || !form) return;
    release(form);
    show(form);
  });
}

/** The page without a connection goes back to what was asked for as soon as there is one. */
function startOfflinePage(): void {
  if (document.querySelector("[data-offline-page]")) addEventListener("online", () => location.reload());
}

export function startApp(): void {
  startOfflineForms();
  startOfflinePage();
  startWorker();
}
