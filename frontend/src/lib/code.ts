/** A one-time code: paste with spaces and dashes is welcome, letters are not; the last digit moves on to the button. */
export function startCodes(): void {
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-code]")) {
    const length = Number(field.dataset["code"]);
    field.removeAttribute("maxlength");
    field.addEventListener("input", () => {
      const digits = field.value.replace(/\D/g, "").slice(0, length);
      if (digits !== field.value) field.value = digits;
      if (digits.length === length) field.form?.querySelector<HTMLElement>("button[type='submit']:not([data-side])")?.focus();
    });
  }
}
