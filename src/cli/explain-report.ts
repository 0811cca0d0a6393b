/** The causes of a rotation's error as the JSON, CSV and text that the explain command writes (docs/headless.md). */
import { csvText } from '../core/csv'
import { VERDICT_MARGIN, type Verdict, verdictOfRatio } from '../experiment/crossings'
import type { TokenState } from '../experiment/outlier-token'
import type { LayerFacts } from '../experiment/result'
import type { NoiseAttribution, RotationCauses } from '../experiment/rotation-causes'
import { settingOf } from '../experiment/settings'
import { choicesLine, layerLines } from './compare-report'
import { ABSENT, alignTable, decimals } from './output'

/** What was explained, and what came out. */
export interface Explanation {
  readonly layer: LayerFacts
  readonly adapter: unknown
  readonly causes: RotationCauses
}

function plainAttribution({ activationNoise, weightNoise, bothNoise, ...errors }: NoiseAttribution) {
  return { ...errors, activationNoise: [...activationNoise], weightNoise: [...weightNoise], bothNoise: [...bothNoise] }
}

/** The document of `--json`, schema mxscope.explain/1. */
export function explainReport({ layer, adapter, causes }: Explanation) {
  const { before, after, token, layerName: _, inDim, tokens, ...rest } = causes
  const plainToken = ({ values, ...state }: TokenState) => ({ ...state, values: [...values] })
  return {
    schema: 'mxscope.explain/1',
    layer,
    adapter,
    ...rest,
    before: plainAttribution(before),
    after: plainAttribution(after),
    token: { ...token, before: plainToken(token.before), after: plainToken(token.after) },
  }
}

/** A line per channel under a heading: attribution and token before and after. */
export function explainCsv({ causes: { before, after, token, inDim } }: Explanation): string {
  const columns = [
    ...(['before', 'after'] as const).flatMap((when) => {
      const attribution = when === 'before' ? before : after
      const named = (['activationNoise', 'weightNoise', 'bothNoise'] as const).map(
        (key) => [`${when}.${key}`, attribution[key]] as const,
      )
      return [...named, [`${when}.token`, token[when].values] as const]
    }),
  ]
  const lines = Array.from({ length: inDim }, (_, c) => [c, ...columns.map(([, values]) => values[c])])
  return csvText([['channel', ...columns.map(([name]) => name)], ...lines])
}

const sum = (values: Float32Array) => values.reduce((total: number, value) => total + value, 0)

const VERDICTS: Readonly<Record<Verdict, string>> = {
  hurts: 'hurts',
  helps: 'helps',
  undecided: 'cannot be told to hurt or help',
}

/** Whether the rotation hurts, as measured, and what was to be expected before it was run. */
function sentences({ before, after, method, seed, chi, closedForm, mismatch }: RotationCauses): string[] {
  const [ratio, expected] = [after.measured / before.measured, closedForm / before.measured]
  const sure = `within ${100 * VERDICT_MARGIN} % of 1 it cannot be told`
  return [
    `${method.id} ${VERDICTS[verdictOfRatio(ratio)]} here: error ${decimals(ratio, 4)} times that without it (seed ${seed} alone; ${sure})`,
    `before running it, the closed form for Gaussian data gives a global rotation error ${decimals(closedForm, 5)} (χ ${decimals(chi, 4)}),`,
    `  ${decimals(expected, 4)} times the error without it: a global rotation ${EXPECTED[verdictOfRatio(expected)]}`,
    `mismatch ${decimals(mismatch, 3)} (above 1: large activations meet small weights; 1: independent; below 1: large meet large)`,
  ]
}

const EXPECTED: Readonly<Record<Verdict, string>> = {
  hurts: 'should hurt',
  helps: 'should help',
  undecided: 'should change little',
}

/** How the table of the token is read. */
function tokenLines({ activationFormat }: RotationCauses): string[] {
  if (activationFormat === null) return ['activations are left as they are, so the other channels lose nothing']
  return [
    'kurtosis: 3 for Gaussian values, 1 for two values of equal size',
    'error of the others: relative error of all channels but the largest one; 1 is as if rounding had made them zero',
  ]
}

/** Conditions, the two attributions, the verdict, the prediction and the token. */
export function explainText({ layer, causes }: Explanation): string {
  const { before, after, token, method, weightFormat, activationFormat } = causes
  const setting = settingOf({ weightFormat, activationFormat, outputFormat: null })
  const conditions = [
    ...layerLines(layer),
    `${setting.id} ${method.id}, weights rounded to nearest, ${choicesLine(causes, [setting], null)}`,
    'noise: squared error of the output that each part is answerable for, over ‖Y‖²',
  ]
  const row = (name: string, { activationNoise, weightNoise, bothNoise, predicted, measured }: NoiseAttribution) => [
    name,
    ...[activationNoise, weightNoise, bothNoise].map((values) => sum(values).toExponential(3)),
    decimals(predicted, 5),
    decimals(measured, 5),
  ]
  const noise = alignTable(
    [
      ['', 'noise of X', 'of W', 'of both', 'predicted error', 'measured'],
      row('as it is', before),
      row('rotated', after),
    ],
    [1, 2, 3, 4, 5],
  )
  const state = (name: string, { kurtosis, largestShare, otherChannelsError }: TokenState) => [
    name,
    decimals(kurtosis, 2),
    decimals(100 * largestShare, 2),
    activationFormat === null ? ABSENT : decimals(otherChannelsError, 5),
  ]
  const tokenTable = alignTable(
    [
      [`token ${token.token}, channel ${token.channel}`, 'kurtosis', 'largest channel %', 'error of the others'],
      state('as it is', token.before),
      state('rotated', token.after),
    ],
    [1, 2, 3],
  )
  const lines = (texts: readonly string[]) => texts.map((line) => `${line}\n`).join('')
  return [lines(conditions), noise, lines(sentences(causes)), tokenTable, lines(tokenLines(causes))].join('\n')
}
