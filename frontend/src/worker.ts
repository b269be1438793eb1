/**
 * The service worker of the borrower's site. It keeps files of our build, whose names change with their content, and one page for
 * when there is no connection; never a page that knows somebody. It is a script without imports: browsers fetch it alone.
 */

export {}; // a module to the type checker alone: nothing of it is left in the built script

declare const self: ServiceWorkerGlobalScope;
declare const USANCE: { name: string; icon: string; version: string; files: string[]; offline: Record<string, string>; language: string };

const CACHE = `usance-${USANCE.version}`;
const LANGUAGE = "/app/language"; // a note in the cache, not an address
const FILES = "/static/dist/";

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  const pages = Object.values(USANCE.offline).map((address) => new Request(address, { credentials: "omit", cache: "reload" }));
  await cache.addAll([...pages, ...USANCE.files]);
}

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
      await self.registration.navigationPreload?.enable();
      await self.clients.claim();
    })(),
  );
});

// the page that made us here was read without us
self.addEventListener("message", (event) => {
  event.waitUntil(remember(String(event.data)));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.method === "GET" && pathname.startsWith(FILES)) event.respondWith(file(request));
  else if (request.mode === "navigate" && !pathname.startsWith("/staff/")) event.respondWith(page(event));
});

async function file(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

async function page(event: FetchEvent): Promise<Response> {
  try {
    const answer = ((await event.preloadResponse) as Response | undefined) ?? (await fetch(event.request));
    event.waitUntil(remember(answer.headers.get("Content-Language")));
    return answer;
  } catch {
    if (event.request.method === "GET") return (await withoutConnection()) ?? Response.error();
    for (const client of await self.clients.matchAll({ type: "window" })) client.postMessage("not sent");
    return new Response(null, { status: 204 }); // the browser stays where it is, with everything that was typed
  }
}

/** The language of the pages that this person reads; none of them is kept. */
async function remember(language: string | null): Promise<void> {
  if (language && language in USANCE.offline) await (await caches.open(CACHE)).put(LANGUAGE, new Response(language));
}

async function withoutConnection(): Promise<Response | undefined> {
  const cache = await caches.open(CACHE);
  const language = (await (await cache.match(LANGUAGE))?.text()) ?? USANCE.language;
  const address = USANCE.offline[language];
  return address ? cache.match(address) : undefined;
}

interface Push {
  title: string;
  body: string;
  link: string;
  tag: string;
}

self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

/** A browser must show something for every push; that it was shown, we are told by the ticket in its link. */
async function show(data: PushMessageData | null): Promise<void> {
  let said: Partial<Push> = {};
  try {
    said = (data?.json() ?? {}) as Partial<Push>;
  } catch {
    // not written by us
  }
  const link = said.link?.startsWith("/push/") ? said.link : "/account/";
  await self.registration.showNotification(said.title ?? USANCE.name, { body: said.body ?? "", tag: said.tag ?? "", icon: USANCE.icon, data: link });
  if (link !== "/account/") await fetch(link, { method: "POST", credentials: "omit" }).catch(() => undefined);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(String(event.notification.data)));
});
