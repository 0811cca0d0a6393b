/** Runs in words: what one is called, and what differs between two. */
import type { OptionValues } from '../core/options'
import { preScaleText, settingLabel } from '../experiment/setting-text'
import { formatDecibels } from '../figures/format-number'
import type { RunScore, RunSummary } from './history'
import { ROUNDING_TEXT, SCALE_RULE_TEXT, type Vocabulary } from './vocabulary'

type Named = Pick<Vocabulary, 'methods'>

const labelOf = (id: string, { methods }: Named) => methods.find((entry) => entry.id === id)?.label ?? id

/** As the user calls it, else "Llama layer, W4A4: RTN, QuaRot". */
export function runTitle(run: RunSummary, vocabulary: Named): string {
  if (run.title !== null) return run.title
  const methods = run.methods.map(({ id }) => labelOf(id, vocabulary))
  return `${run.layer}, ${settingLabel(run.setting.id)}: ${methods.join(', ')}`
}

/** The score of the highest output SQNR; null where no method has one. */
export function bestScore(scores: readonly RunScore[]): RunScore | null {
  return scores.reduce<RunScore | null>((best, score) => {
    if (score.outputSqnrDb === null || Number.isNaN(score.outputSqnrDb)) return best
    return best === null || score.outputSqnrDb > (best.outputSqnrDb ?? Number.NEGATIVE_INFINITY) ? score : best
  }, null)
}

/** "best FlatQuant 18.9 dB"; what is wrong where no method has a number. */
export function headline({ scores }: RunSummary, vocabulary: Named): string {
  const best = bestScore(scores)
  if (best === null || best.outputSqnrDb === null) return 'every method failed'
  return `best ${labelOf(best.method, vocabulary)} ${formatDecibels(best.outputSqnrDb)} dB`
}

const rowsText = ({ calibrationTokens, evaluationTokens }: RunSummary) => `${calibrationTokens} + ${evaluationTokens}`
const adapterText = ({ adapter }: RunSummary) => adapter?.description ?? 'not recorded'
const shapeText = ({ shape }: RunSummary) => `[${shape.join(', ')}]`

/** What a run was compared under, a name and its value each. */
function conditions(run: RunSummary): readonly (readonly [name: string, value: string])[] {
  const { choices, setting } = run
  return [
    ['layer', run.layer],
    ['shape', shapeText(run)],
    ['activations', run.activations],
    ['rows', rowsText(run)],
    ['setting', settingLabel(setting.id)],
    ['scale rule', SCALE_RULE_TEXT[choices.scaleRule].label],
    ['rounding', ROUNDING_TEXT[choices.rounding]],
    ['pre-scale', preScaleText(choices.preScale, [setting], choices.scaleRule)],
    ['block size', String(choices.blockSize)],
    ['head size', choices.headDim === null ? 'automatic' : String(choices.headDim)],
    ['seed', String(choices.seed)],
    ['version', run.version],
    ['adapter', adapterText(run)],
  ]
}

/** Every option of a method with its value, those of the defaults too. */
function allOptions(run: RunSummary, id: string, { methods }: Named): OptionValues {
  const entry = methods.find((method) => method.id === id)
  const defaults = Object.fromEntries(entry?.options.map((option) => [option.key, option.default]) ?? [])
  return { ...defaults, ...run.methods.find((method) => method.id === id)?.options }
}

/** "scale rule floor (OCP) → even", "FlatQuant steps 120 → 60", "only in A: QuaRot": empty where both are the same. */
export function differences(a: RunSummary, b: RunSummary, vocabulary: Named): readonly string[] {
  const others = conditions(b)
  const changed = conditions(a).flatMap(([name, value], at) =>
    value === others[at][1] ? [] : [`${name} ${value} → ${others[at][1]}`],
  )
  const [inA, inB] = [a, b].map(({ methods }) => methods.map(({ id }) => id))
  const options = inA
    .filter((id) => inB.includes(id))
    .flatMap((id) => {
      const [own, other] = [allOptions(a, id, vocabulary), allOptions(b, id, vocabulary)]
      return Object.keys({ ...own, ...other })
        .filter((key) => own[key] !== other[key])
        .map((key) => `${labelOf(id, vocabulary)} ${key} ${own[key] ?? 'none'} → ${other[key] ?? 'none'}`)
    })
  const only = (ids: readonly string[], rest: readonly string[], name: string) => {
    const own = ids.filter((id) => !rest.includes(id)).map((id) => labelOf(id, vocabulary))
    return own.length === 0 ? [] : [`only in ${name}: ${own.join(', ')}`]
  }
  return [...changed, ...options, ...only(inA, inB, 'A'), ...only(inB, inA, 'B')]
}

/** One method in both runs; null where a run does not have it. */
export interface ComparedScore {
  readonly method: string
  readonly a: RunScore | null
  readonly b: RunScore | null
}

/** The methods of both runs in menu order, those that do not exist here last. */
export function comparedScores(a: RunSummary, b: RunSummary, { methods }: Named): readonly ComparedScore[] {
  const ids = [...new Set([...a.scores, ...b.scores].map(({ method }) => method))]
  const place = (id: string) => {
    const at = methods.findIndex((entry) => entry.id === id)
    return at < 0 ? methods.length : at
  }
  const of = (run: RunSummary, id: string) => run.scores.find(({ method }) => method === id) ?? null
  return ids
    .sort((one, other) => place(one) - place(other))
    .map((method) => ({ method, a: of(a, method), b: of(b, method) }))
}
