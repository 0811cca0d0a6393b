/** Verdicts on layers made so that each comes out one way and the other. */
import { expect, it } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { createRandom } from '../../src/core/random'
import { FINDINGS, judgeFinding } from '../../src/experiment/findings/findings'
import { FINDING_NEEDS, type FindingId, type Need, needChoices, needKey } from '../../src/experiment/findings/needs'
import type { FindingVerdict } from '../../src/experiment/findings/verdict'
import type { MethodOutcome } from '../../src/experiment/result'
import { runComparison } from '../../src/experiment/run-comparison'
import { uploadMatrix } from '../../src/gpu/transfer'
import { methodById } from '../../src/methods/registry'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

const TIMEOUT_MS = 180_000
const [CHANNELS, OUTPUTS, ROWS] = [128, 32, 96]

interface Made {
  readonly weight: Float32Array
  readonly calibration: Float32Array
  readonly evaluation: Float32Array
}

interface Recipe {
  /** Weight of a row and channel, and activation of a token and channel, from seeded normal numbers. */
  readonly weight?: (normal: () => number, channel: number) => number
  readonly activation?: (normal: () => number, channel: number, before: number) => number
  readonly calibrationRows?: number
}

function make({ weight, activation, calibrationRows = ROWS }: Recipe): Made {
  const random = createRandom(11)
  const normal = () => random.normal()
  const matrix = (rows: number, value: (channel: number, before: number) => number) => {
    const data = new Float32Array(rows * CHANNELS)
    for (let i = 0; i < data.length; i += 1) data[i] = value(i % CHANNELS, i % CHANNELS === 0 ? 0 : data[i - 1])
    return data
  }
  const w = (channel: number) => weight?.(normal, channel) ?? normal()
  const x = (channel: number, before: number) => activation?.(normal, channel, before) ?? normal()
  return { weight: matrix(OUTPUTS, w), calibration: matrix(calibrationRows, x), evaluation: matrix(ROWS, x) }
}

/** Every `every`th channel of X is `k` times as large; the weight's columns there k^−alpha times. */
const outliers = (k: number, alpha: number, every = 16): Recipe => ({
  weight: (normal, c) => normal() * (c % every === 5 ? k ** -alpha : 1),
  activation: (normal, c) => normal() * (c % every === 5 ? k : 1),
})

/** Every block of both operands has `maximum` as its largest magnitude; all others have it too, or lie below it. */
const blocksUpTo = (maximum: number, others: 'as large' | 'smaller'): Recipe => {
  const sign = (normal: () => number) => (normal() < 0 ? -maximum : maximum)
  const below = (normal: () => number) => maximum * Math.tanh(normal() / 2)
  const value: Recipe['weight'] = (normal, c) => (c % 32 === 0 || others === 'as large' ? sign(normal) : below(normal))
  return { weight: value, activation: value }
}

/** What is left of these by the pre-scale 3/4 are codes of E2M1. */
const ON_THE_GRID = [1, 2, 3, 4, 6].map((code) => (4 / 3) * code)

const LAYERS = {
  gaussian: {},
  'aligned outliers': outliers(32, 1),
  'few outliers on smaller columns': outliers(32, 1, 64),
  'outliers on ordinary columns': outliers(20, 0),
  'ranges beyond E4M3': outliers(2 ** 20, 1),
  'activations on the grid': {
    activation: (normal, c) =>
      c % 32 === 0 ? 8 : ON_THE_GRID[Math.floor(Math.abs(normal()) * 7) % ON_THE_GRID.length],
  },
  'neighbours alike': { activation: (normal, _c, before) => 0.95 * before + 0.3 * normal() },
  'two rows to fit': { calibrationRows: 2 },
  'maxima below a power of two': blocksUpTo(7.9, 'as large'),
  'maxima on the largest code': blocksUpTo(6, 'smaller'),
} satisfies Record<string, Recipe>

/** Fewer steps than a user takes: enough for each verdict here. */
const optionsOf = (method: string): OptionValues =>
  methodById(method).transform.options.some(({ key }) => key === 'steps') ? { steps: 40 } : {}

async function verdictOn(layer: Recipe, id: FindingId): Promise<FindingVerdict> {
  const made = make(layer)
  const upload = (data: Float32Array, label: string) =>
    uploadMatrix(t.gpu, t.arena, { rows: data.length / CHANNELS, cols: CHANNELS, data }, label)
  const subject = {
    name: 'made.weight',
    weight: upload(made.weight, 'weight'),
    calibration: upload(made.calibration, 'calibration'),
    evaluation: upload(made.evaluation, 'evaluation'),
    weightBits: 32,
  }
  const outcomes = new Map<string, MethodOutcome>()
  const measure = async (need: Need) => {
    const request = {
      ...needChoices(need),
      settings: [need.setting],
      methods: [{ id: need.method, options: optionsOf(need.method) }],
      seed: need.seed,
      headDim: null,
      scaleAnalysis: need.analysed && id === 'scales',
    }
    const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => 0 }
    await runComparison(subject, request, context, (event) => {
      if (event.kind === 'outcome') outcomes.set(needKey(need), event.outcome)
    })
  }
  for (const need of FINDING_NEEDS[id]) await measure(need)
  const finding = FINDINGS.find((each) => each.id === id)
  if (!finding) throw new Error(id)
  const facts = {
    name: 'made',
    file: 'made',
    outDim: OUTPUTS,
    inDim: CHANNELS,
    calibrationTokens: made.calibration.length / CHANNELS,
    evaluationTokens: ROWS,
    sameRows: false,
    activations: { kind: 'synthetic', description: 'made', seed: 11 },
  } as const
  return judgeFinding(finding, (need) => outcomes.get(needKey(need)), facts).verdict
}

const EXPECTED: readonly (readonly [FindingId, keyof typeof LAYERS, FindingVerdict])[] = [
  ['mxfp8', 'gaussian', 'holds'],
  ['mxfp8', 'ranges beyond E4M3', 'fails'],
  ['w4a4', 'gaussian', 'holds'],
  ['w4a4', 'activations on the grid', 'fails'],
  ['rotation', 'few outliers on smaller columns', 'holds'],
  ['rotation', 'outliers on ordinary columns', 'fails'],
  ['rotation', 'gaussian', 'undecided'],
  ['affine', 'neighbours alike', 'holds'],
  ['affine', 'two rows to fit', 'fails'],
  ['compensation', 'neighbours alike', 'holds'],
  ['compensation', 'aligned outliers', 'fails'],
  ['rtn', 'two rows to fit', 'holds'],
  ['rtn', 'outliers on ordinary columns', 'fails'],
  ['scales', 'maxima below a power of two', 'holds'],
  ['scales', 'maxima on the largest code', 'fails'],
  ['pre-scale', 'maxima below a power of two', 'holds'],
  ['pre-scale', 'maxima on the largest code', 'fails'],
]

it.each(EXPECTED)(
  '%s on %s: %s',
  async (id, layer, verdict) => expect(await verdictOn(LAYERS[layer], id)).toBe(verdict),
  TIMEOUT_MS,
)
