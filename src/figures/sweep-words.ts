/** Captions of lines over one parameter: trend, best value, and what the one in use costs. */
import { formatDecibels, shownDifference } from './format-number'
import { grouped, listed, namesOrCount } from './words'

/** One computed value of a line. Infinite decibels: the output is exact. */
export interface SweptValue {
  readonly at: string
  readonly decibels: number
}

export interface SweptLine {
  readonly name: string
  /** By rising value. */
  readonly values: readonly SweptValue[]
  /** Text of the value in use; null where it is no value of this sweep. */
  readonly inUse: string | null
}

interface Trend {
  readonly kind: 'single' | 'level' | 'rises' | 'falls' | 'peaks' | 'mixed'
  readonly best: SweptValue
  readonly worst: SweptValue
}

const shown = ({ decibels }: SweptValue) => (Number.isFinite(decibels) ? Number(decibels.toFixed(1)) : decibels)
const text = ({ decibels }: SweptValue) =>
  decibels === Number.POSITIVE_INFINITY ? 'an exact output' : `${formatDecibels(decibels)} dB`

/** The first of the largest; lines without a number are left out before. */
export function bestValue<T extends { readonly decibels: number }>(values: readonly T[]): T | null {
  return values.reduce<T | null>(
    (best, each) => (!Number.isNaN(each.decibels) && (best === null || each.decibels > best.decibels) ? each : best),
    null,
  )
}

function trendOf(values: readonly SweptValue[], best: SweptValue): Trend {
  const numbers = values.map(shown)
  const worst = values.reduce((least, each) => (each.decibels < least.decibels ? each : least), values[0])
  if (values.length === 1) return { kind: 'single', best, worst }
  const [most, least] = [Math.max(...numbers), Math.min(...numbers)]
  if (most === least) return { kind: 'level', best, worst }
  const rising = (from: number, to: number) => numbers.slice(from + 1, to + 1).every((n, i) => n >= numbers[from + i])
  const falling = (from: number, to: number) => numbers.slice(from + 1, to + 1).every((n, i) => n <= numbers[from + i])
  const [top, end] = [values.indexOf(best), values.length - 1]
  if (rising(0, end)) return { kind: 'rises', best, worst }
  if (falling(0, end)) return { kind: 'falls', best, worst }
  return { kind: rising(0, top) && falling(top, end) ? 'peaks' : 'mixed', best, worst }
}

interface Told extends SweptLine {
  readonly trend: Trend
}

/** At most two sentences; null where no line has a number. */
export function sweepSentences(lines: readonly SweptLine[]): readonly [string, string | null] | null {
  const told = lines.flatMap((line): readonly Told[] => {
    const values = line.values.filter(({ decibels }) => !Number.isNaN(decibels))
    const best = bestValue(values)
    return best === null ? [] : [{ ...line, values, trend: trendOf(values, best) }]
  })
  if (told.length === 0) return null
  return [told.length === 1 ? oneLine(told[0]) : severalLines(told), usedWords(told)]
}

function oneLine({ name, values, trend: { kind, best, worst } }: Told): string {
  const [first, last] = [values[0], values[values.length - 1]]
  const subject = `output SQNR of ${name}`
  switch (kind) {
    case 'single':
      return `${subject} is computed at ${best.at} only: ${text(best)}`
    case 'level':
      return `${subject} stays at ${text(best)} from ${first.at} to ${last.at}`
    case 'rises': {
      const end = best === last ? '' : ' and stays there'
      return `${subject} rises from ${text(first)} at ${first.at} to ${text(best)} at ${best.at}${end}`
    }
    case 'falls':
      return `${subject} falls from ${text(first)} at ${first.at} to ${text(last)} at ${last.at}`
    case 'peaks':
      return `${subject} rises to ${text(best)} at ${best.at}, then falls to ${text(last)} at ${last.at}`
    case 'mixed':
      return `${subject} is highest at ${best.at} with ${text(best)} and lowest at ${worst.at} with ${text(worst)}`
  }
}

const namesOf = (lines: readonly Told[]) => namesOrCount(lines.map(({ name }) => name))

function severalLines(lines: readonly Told[]): string {
  const [{ trend, values }] = lines
  const [from, to] = [values[0].at, values[values.length - 1].at]
  const alike = lines.every(
    (line) =>
      line.trend.kind === trend.kind && line.values[0].at === from && line.values[line.values.length - 1].at === to,
  )
  if (alike && (trend.kind === 'rises' || trend.kind === 'falls')) {
    return `output SQNR ${trend.kind} from ${from} to ${to} for all ${lines.length} lines${mostText(lines)}`
  }
  const isHighest = ({ trend: { kind } }: Told) => kind !== 'level' && kind !== 'single'
  const groups = [
    ...grouped(lines.filter(isHighest), ({ trend: { best } }) => `at ${best.at}`),
    ...grouped(
      lines.filter((line) => !isHighest(line)),
      ({ trend: { kind, best } }) => (kind === 'level' ? 'the same at every value' : `computed at ${best.at} only`),
    ),
  ]
  const start = `output SQNR is ${lines.some(isHighest) ? 'highest ' : ''}`
  if (groups.length === 1) return `${start}${groups[0][0]} for all ${lines.length} lines`
  return `${start}${listed(groups.map(([words, own]) => `${words} for ${namesOf(own)}`))}`
}

/** ", most for QuaRot (6.0 dB)"; nothing where two are level, or a line is exact. */
function mostText(lines: readonly Told[]): string {
  const spans = lines
    .map(({ name, trend: { best, worst } }) => ({
      name,
      span: shownDifference(best.decibels, worst.decibels) ?? Number.NaN,
    }))
    .sort((a, b) => b.span - a.span)
  const [first, second] = spans
  return first.span > second.span ? `, most for ${first.name} (${formatDecibels(first.span)} dB)` : ''
}

/** What the value in use costs against the best one. */
function usedWords(lines: readonly Told[]): string | null {
  const used = lines.flatMap(({ name, values, inUse, trend: { best } }) => {
    const own = inUse === null ? undefined : values.find(({ at }) => at === inUse)
    if (!own || values.length === 1) return []
    const loss =
      own === best
        ? 0
        : (shownDifference(best.decibels, own.decibels) ??
          (own.decibels === best.decibels ? 0 : Number.POSITIVE_INFINITY))
    return [{ name, own, loss }]
  })
  if (used.length === 0 || lines.every(({ trend }) => trend.kind === 'level')) return null
  const worst = used.reduce((most, each) => (each.loss > most.loss ? each : most), used[0])
  const values = [...new Set(used.map(({ own }) => own.at))]
  const what = `${listed(values)}, in use,`
  const be = values.length === 1 ? 'is' : 'are'
  if (worst.loss === 0) return `${what} ${be} level with the best`
  const below = Number.isFinite(worst.loss)
    ? `${formatDecibels(worst.loss)} dB below the best`
    : 'not exact, the best is'
  if (used.length === 1) return `${what} is ${below}`
  return Number.isFinite(worst.loss)
    ? `${what} ${be} up to ${below} (${worst.name})`
    : `${what} ${be} ${below} (${worst.name})`
}
