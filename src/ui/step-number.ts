/** Digits after the point in the shortest text of a number. */
function decimals(text: string): number {
  const [, fraction = '', exponent = '0'] = /^[^.e]*(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text) ?? []
  return Math.min(Math.max(fraction.length - Number(exponent), 0), 100)
}

/**
 * `text` as a number plus `by`, written with the digits of the finer of the two so that no rounding error shows, and kept
 * within the range. An empty text starts at 0 or the limit nearest to it; a text that is no number stays.
 */
export function stepNumber(text: string, by: number, range: { readonly min: number; readonly max: number }): string {
  const start = Number(text)
  if (Number.isNaN(start)) return text
  const digits = Math.max(decimals(text), decimals(String(by)))
  const next = text.trim() === '' ? 0 : Number((start + by).toFixed(digits))
  return String(Math.min(Math.max(next, range.min), range.max))
}
