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
  readonly catalog: readonly MethodEntry[]
  readonly facts: LayerFacts | null
}

/** The finding in one or two sentences, every number in it computed from `results`; null while there is none. */
export function answerLine({
  layer,
  setting,
  remark,
  results,
  asked,
  failed,
  catalog,
  facts,
}: AnswerInput): string | null {
  if (results.length === 0) return null
  const nameOf = (id: string) => catalog.find((method) => method.id === id)?.label ?? id
  const ranked = [...results].sort((a, b) => b.evaluation.outputSqnrDb - a.evaluation.outputSqnrDb)
  const scores = ranked.map((result) => `${nameOf(result.method)} ${formatDecibels(result.evaluation.outputSqnrDb)} dB`)
  const open = asked - failed - results.length
  const waiting = open > 0 ? ` (${results.length} of ${asked} methods so far)` : ''
  const finding = open > 0 ? null : rotationFinding(ranked, catalog)
  const under = [layer, settingLabel(setting), ...(remark === null ? [] : [remark])].join(', ')
  const first = `${under}: ${scores.join(', ')} output SQNR${waiting}${finding ? `; ${finding}` : ''}.`
  return [first, ...caveats(facts, failed)].join(' ')
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
