/** Times as people say them. */
const LOCALE = 'en-US'
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' })
const exact = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' })

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** "3 minutes ago"; "now" within a minute. Both in ms since 1970. */
export function relativeTime(time: number, now: number): string {
  const past = Math.max(0, now - time)
  for (const [unit, length] of UNITS) {
    if (past >= length) return relative.format(-Math.floor(past / length), unit)
  }
  return relative.format(0, 'second')
}

/** "Aug 4, 2026, 3:07 PM" */
export const exactTime = (time: number): string => exact.format(time)
