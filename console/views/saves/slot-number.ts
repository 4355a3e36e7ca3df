/** Slots are named by 11 digits. */
const DIGITS = 11;

/** The slot that was typed, with its leading zeros or without; undefined for what is no slot. */
export function parseSlot(typed: string): string | undefined {
  const digits = typed.trim().replace(/^0+(?=\d)/, '');
  return /^\d{1,11}$/.test(digits) ? digits.padStart(DIGITS, '0') : undefined;
}

export function slotOf(number: number): string {
  return String(number).padStart(DIGITS, '0');
}
