/** RFC 4180: quotes around what needs them, doubled inside. NaN, a number that does not exist, is empty. */
function csvField(value: string | number | null): string {
  const text = value === null || Number.isNaN(value) ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Lines of comma-separated values, the first one the heading. */
export function csvText(lines: readonly (readonly (string | number | null)[])[]): string {
  return lines.map((fields) => `${fields.map(csvField).join(',')}\r\n`).join('')
}
