/**
 * A form that a passkey fills: asks the server for a challenge, has the browser answer it, and is then sent like any
 * other form. `data-passkey`: "get" or "create"; `data-passkey-ask`: where the challenge comes from.
 */

type Described = { id: string; type: "public-key"; transports?: AuthenticatorTransport[] };
type Options = {
  challenge: string;
  user?: { id: string; name: string; displayName: string };
  excludeCredentials?: Described[];
  allowCredentials?: Described[];
};

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

function words(buffer: ArrayBuffer | null): string | null {
  if (!buffer) return null;
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function described(list: Described[] | undefined): PublicKeyCredentialDescriptor[] {
  return (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
}

async function fromBrowser(kind: string, options: Options): Promise<Credential | null> {
  const challenge = bytes(options.challenge);
  if (kind === "create") {
    const publicKey = {
      ...options,
      challenge,
      user: { ...options.user, id: bytes(options.user?.id ?? "") },
      excludeCredentials: described(options.excludeCredentials),
    } as unknown as PublicKeyCredentialCreationOptions;
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = { ...options, challenge, allowCredentials: described(options.allowCredentials) };
  return navigator.credentials.get({ publicKey: publicKey as PublicKeyCredentialRequestOptions });
}

function written(credential: PublicKeyCredential): string {
  const said = credential.response;
  const response: Record<string, string | null> = { clientDataJSON: words(said.clientDataJSON) };
  if (said instanceof AuthenticatorAttestationResponse) response["attestationObject"] = words(said.attestationObject);
  if (said instanceof AuthenticatorAssertionResponse) {
    response["authenticatorData"] = words(said.authenticatorData);
    response["signature"] = words(said.signature);
    response["userHandle"] = words(said.userHandle);
  }
  return JSON.stringify({ id: credential.id, rawId: words(credential.rawId), type: credential.type, response });
}

/** The browser's answer, or what is to be told instead. */
async function answer(form: HTMLFormElement): Promise<{ answer: string } | { problem: string }> {
  const told = form.dataset;
  try {
    const asked = await fetch(told["passkeyAsk"] ?? "", { method: "POST", body: new FormData(form) });
    const said = (await asked.json()) as { options?: Options; problem?: string };
    if (!said.options) return { problem: said.problem ?? told["passkeyFailed"] ?? "" };
    const made = await fromBrowser(told["passkey"] ?? "get", said.options);
    return made instanceof PublicKeyCredential
      ? { answer: written(made) }
      : { problem: told["passkeyFailed"] ?? "" };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    const why = { NotAllowedError: "passkeyStopped", AbortError: "passkeyStopped", InvalidStateError: "passkeyKnown" };
    return { problem: told[why[name as keyof typeof why] ?? "passkeyFailed"] ?? "" };
  }
}

function startForm(form: HTMLFormElement): void {
  const field = form.elements.namedItem("passkey") as HTMLInputElement;
  const said = form.querySelector<HTMLElement>("[data-passkey-said]");
  const button = form.querySelector<HTMLButtonElement>("button");
  let busy = false;
  form.hidden = false; // until now a press would have sent an empty form
  form.addEventListener("submit", (event) => {
    if (field.value) return; // answered: now it is an ordinary form
    event.preventDefault();
    if (busy) return;
    busy = true;
    button?.setAttribute("aria-disabled", "true");
    if (said) said.hidden = true;
    void answer(form).then((found) => {
      busy = false;
      button?.removeAttribute("aria-disabled");
      if ("answer" in found) {
        field.value = found.answer;
        form.requestSubmit();
      } else if (said) {
        said.textContent = found.problem;
        said.hidden = false;
      }
    });
  });
}

export function startPasskeys(forms: NodeListOf<HTMLFormElement>): void {
  if (!("PublicKeyCredential" in window)) {
    for (const words of document.querySelectorAll<HTMLElement>("[data-passkey-none]")) words.hidden = false;
    return;
  }
  for (const form of forms) startForm(form);
}
