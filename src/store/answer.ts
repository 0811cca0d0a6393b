import type { MethodEntry } from '../experiment/catalog'
import type { LayerFacts, MethodResult } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { formatDecibels, shownDifference } from '../figures/format-number'
import { BASELINE } from './vocabulary'

/** Another rotation seed moves the result by about this much, so a smaller difference says nothing about rotation. */
const SEED_SPREAD_DB = 0.3

/** What the line is computed from. `results` are those of the current setting, in any order. */
export interface AnswerInput {
  readonly layer: string
  /** Id of the setting; the line writes its label. */
  readonly setting: string
  /** What of the MX choices departs from the standard, such as another block size; null: nothing. */
  readonly remark: string | null
  readonly results: readonly MethodResult[]
  /** Methods that were asked for, failed ones included. */
  readonly asked: number
  readonly failed: number
  /** Whether the missing ones are still being computed. */
  readonly running: boolean
  /** Ids of those whose run was cancelled. */
  readonly cancelled: readonly string[]
  readonly catalog: readonly MethodEntry[]
  readonly facts: LayerFacts | null
}

/** The finding in one or two sentences, every number in it computed from `results`; null while there is none. */
export function answerLine(input: AnswerInput): string | null {
  const { layer, setting, remark, results, asked, failed, catalog, facts } = input
  if (results.length === 0) return null
  const ranked = [...results].sort((a, b) => b.evaluation.outputSqnrDb - a.evaluation.outputSqnrDb)
  const scores = ranked.map(
    (result) => `${nameOf(result.method, catalog)} ${formatDecibels(result.evaluation.outputSqnrDb)} dB`,
  )
  const open = asked - failed - results.length
  const finding = open > 0 ? null : rotationFinding(ranked, catalog)
  const under = [layer, settingLabel(setting), ...(remark === null ? [] : [remark])].join(', ')
  const first = `${under}: ${scores.join(', ')} output SQNR${open > 0 ? ` (${missing(input, open)})` : ''}${finding ? `; ${finding}` : ''}.`
  return [first, ...caveats(facts, failed)].join(' ')
}

const nameOf = (id: string, catalog: readonly MethodEntry[]) => catalog.find((method) => method.id === id)?.label ?? id

/** "1 of 3 methods so far"; when nothing runs, why the others are missing: "1 of 3 methods; FlatQuant cancelled, 1 not computed". */
function missing({ results, asked, running, cancelled, catalog }: AnswerInput, open: number): string {
  const count = `${results.length} of ${asked} methods`
  if (running) return `${count} so far`
  const left = open - cancelled.length
  const reasons = [
    ...cancelled.map((id) => `${nameOf(id, catalog)} cancelled`),
    ...(left > 0 ? [`${left} not computed`] : []),
  ]
  return `${count}; ${reasons.join(', ')}`
}

/** What the best rotation wins or loses against round to nearest; null when either is missing. */
function rotationFinding(ranked: readonly MethodResult[], catalog: readonly MethodEntry[]): string | null {
  // With another mitigation the difference would not be the rotation's.
  const plain = catalog.filter(({ column }) => column === 'round-to-nearest')
  const kindOf = (id: string) => plain.find((method) => method.id === id)?.kind
  const baseline = ranked.find(({ method }) => method === BASELINE)
  const rotation = ranked.find(({ method }) => kindOf(method) === 'rotation')
  if (!baseline || !rotation) return null
  const [rotated, rounded] = [rotation.evaluation.outputSqnrDb, baseline.evaluation.outputSqnrDb]
  const difference = shownDifference(rotated, rounded)
  if (difference === null) return null
  if (Math.abs(rotated - rounded) < SEED_SPREAD_DB)
    return `rotation and RTN are within ${SEED_SPREAD_DB} dB on this layer`
  const amount = `${formatDecibels(Math.abs(difference))} dB`
  return difference < 0
    ? `rotation loses ${amount} to RTN on this layer`
    : `rotation gains ${amount} over RTN on this layer`
}

function caveats(facts: LayerFacts | null, failed: number): string[] {
  const said: string[] = []
  if (failed > 0) said.push(`${failed} ${failed === 1 ? 'method' : 'methods'} failed.`)
  if (facts?.activations.kind === 'synthetic') said.push('Activations are synthetic.')
  if (facts?.sameRows) said.push('Measured on the calibration rows.')
  return said
}
