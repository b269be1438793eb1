/** A number box is the field; the range and the two buttons only move it. Without script the box alone does the work. */

const DIGITS = /[^\d.,-]/g;

class Slider {
  private readonly range: HTMLInputElement;
  private readonly box: HTMLInputElement;
  private readonly min: number;
  private readonly max: number;
  private readonly step: number;
  private readonly digits: number;
  private readonly format: Intl.NumberFormat;

  constructor(root: HTMLElement) {
    this.range = root.querySelector<HTMLInputElement>("input[type='range']")!;
    this.box = root.querySelector<HTMLInputElement>("[data-slider-box]")!;
    this.min = Number(this.range.min);
    this.max = Number(this.range.max);
    this.step = Number(this.range.step) || 1;
    this.digits = (String(this.step).split(".")[1] ?? "").length;
    this.format = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: this.digits });
    this.range.addEventListener("input", () => this.set(Number(this.range.value), true));
    this.box.addEventListener("input", () => this.typing());
    this.box.addEventListener("change", () => this.set(this.read(), true));
    this.box.addEventListener("keydown", (event) => this.key(event));
    for (const button of root.querySelectorAll<HTMLButtonElement>("[data-step]")) {
      button.addEventListener("click", () => this.set(this.value() + Number(button.dataset["step"]) * this.step, true));
    }
    this.set(this.read(), false);
  }

  private value(): number {
    return Number(this.range.value);
  }

  /** What was typed, in the page's way of writing numbers: a group sign or a space is not a decimal point. */
  private read(): number {
    const typed = this.box.value.replace(DIGITS, "");
    const point = this.format.formatToParts(1.1).find((part) => part.type === "decimal")?.value ?? ".";
    const [whole = "", rest = ""] = this.digits ? splitOnce(typed, point) : [typed, ""];
    const number = Number(`${whole.replace(/[.,]/g, "")}${rest ? `.${rest}` : ""}`);
    return Number.isFinite(number) && typed !== "" ? number : this.value();
  }

  private set(wanted: number, tell: boolean): void {
    const stepped = this.min + Math.round((wanted - this.min) / this.step) * this.step;
    const kept = Math.min(this.max, Math.max(this.min, Number(stepped.toFixed(this.digits))));
    this.range.value = String(kept);
    this.box.value = this.format.format(kept);
    this.mark(kept);
    if (tell) this.box.dispatchEvent(new CustomEvent("slid", { bubbles: true }));
  }

  private mark(kept: number): void {
    const span = this.max - this.min || 1;
    this.range.style.setProperty("--fill", `${(100 * (kept - this.min)) / span}%`);
    this.range.setAttribute("aria-valuetext", `${this.format.format(kept)} ${this.range.dataset["unit"] ?? ""}`.trim());
  }

  /** While somebody types: what is already a possible value is answered, and the box is left to the typing hand. */
  private typing(): void {
    const typed = this.read();
    const steps = (typed - this.min) / this.step;
    if (typed < this.min || typed > this.max || Math.abs(steps - Math.round(steps)) > 1e-9) return;
    this.range.value = String(typed);
    this.mark(typed);
    this.box.dispatchEvent(new CustomEvent("slid", { bubbles: true }));
  }

  private key(event: KeyboardEvent): void {
    const move = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (!move) return;
    event.preventDefault();
    this.set(this.read() + move * this.step, true);
  }
}

function splitOnce(text: string, sign: string): [string, string] {
  const at = text.lastIndexOf(sign);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

export function startSliders(): void {
  for (const root of document.querySelectorAll<HTMLElement>("[data-slider]")) new Slider(root);
}
