/** `form[data-push="public key"]`: its button asks the browser for an address at its push service and sends that with the form. */

export function startPush(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-push]");
  const field = form?.elements.namedItem("address");
  if (!form || !(field instanceof HTMLInputElement)) return;
  if (field.value) return; // a phone of the sandbox has said yes already
  const say = (what: string): void => {
    for (const said of document.querySelectorAll<HTMLElement>("[data-push-said]")) said.hidden = said.dataset["pushSaid"] !== what;
  };
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
  form.hidden = false;
  say("");
  form.addEventListener("submit", (event) => {
    if (field.value) return;
    event.preventDefault();
    ask(form.dataset["push"] ?? "").then(
      (address) => {
        if (!address) return say("refused");
        field.value = address;
        form.requestSubmit();
      },
      () => say("failed"),
    );
  });
}

/** The browser's address for us as JSON; nothing when its owner said no. */
async function ask(key: string): Promise<string> {
  if ((await Notification.requestPermission()) !== "granted") return "";
  const worker = await navigator.serviceWorker.ready;
  await (await worker.pushManager.getSubscription())?.unsubscribe(); // it may be tied to an older key of ours
  return JSON.stringify(await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
}
