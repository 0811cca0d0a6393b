/** What captions are put together from. Numbers are compared as they are shown: what reads the same is called the same. */

/** "A", "A and B", "A, B and C" */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** Each part as a sentence with a capital and a full stop; what is null is left out. */
export function sentences(parts: readonly (string | null)[]): string {
  return parts
    .filter((part) => part !== null && part !== '')
    .map((part) => `${part?.charAt(0).toUpperCase()}${part?.slice(1)}`.replace(/\.?$/, '.'))
    .join(' ')
}

/** The parts of one sentence; null where there is none. */
export function clauses(parts: readonly (string | null)[]): string | null {
  const said = parts.filter((part) => part !== null && part !== '')
  return said.length === 0 ? null : said.join('; ')
}

/** One number before and after. */
export interface Change {
  readonly noun: string
  readonly from: number
  readonly to: number
  readonly format: (value: number) => string
}

/**
 * "lowers the largest magnitude from 118 to 12.0 and raises the median channel from 0.800 to 9.80"; what reads the same
 * is left "at 3.0". null where no change has two finite numbers.
 */
export function changesInWords(changes: readonly Change[]): string | null {
  const said = changes
    .filter(({ from, to }) => Number.isFinite(from) && Number.isFinite(to))
    .map(({ noun, from, to, format }) => {
      const [before, after] = [format(from), format(to)]
      if (before === after) return { verb: 'leaves', words: `${noun} at ${after}` }
      return { verb: to < from ? 'lowers' : 'raises', words: `${noun} from ${before} to ${after}` }
    })
  const verbs = [...new Set(said.map(({ verb }) => verb))]
  const groups = verbs.map(
    (verb) => `${verb} ${listed(said.filter((each) => each.verb === verb).map((each) => each.words))}`,
  )
  return groups.length === 0 ? null : listed(groups)
}

/** The middle of the values; the mean of the two middle ones of an even number. NaN of none. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort()
  const half = (sorted.length - 1) / 2
  return sorted.length === 0 ? Number.NaN : (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2
}

/** Names that share something, in the order it first comes up. */
export function grouped<T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return [...groups]
}

/** "3 methods", "RTN and QuaRot": more than three are counted. */
export const namesOrCount = (names: readonly string[]): string =>
  names.length > 3 ? `${names.length} methods` : listed(names)
