/** One place on the page that a screen reader listens to. It is there before it speaks: a region that arrives with its words is often not read. */

let place: HTMLElement | undefined;

export function startSaying(): void {
  place = document.createElement("div");
  place.className = "u-hidden";
  place.setAttribute("role", "status");
  document.body.append(place);
}

export function say(words: string): void {
  if (place && words && place.textContent !== words) place.textContent = words;
}
