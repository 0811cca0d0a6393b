// Transforms without training through the whole comparison, on every golden layer and setting, against the recorded
// errors. `npm run references` runs it beside the slow test of the trained methods; both print the lines of
// docs/validation.md.
import { afterAll, expect, test } from 'vitest'
import type { MethodChoice } from '../../src/experiment/request'
import { runComparison } from '../../src/experiment/run-comparison'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

/** Nothing is trained, so only float32 against float64 transforms may differ, and codes at ties. */
const BAR = 0.001
/** Another matrix of the same distribution: twice the 1.3 % that ours and the recorded one were seen apart. */
const SPREAD = 0.026

interface Recorded {
  readonly calib: number
  readonly eval: number
}
interface Quarot {
  readonly calib_seeds_0_4: readonly number[]
  readonly eval_seeds_0_4: readonly number[]
}
type Results = Record<string, Recorded> & { readonly quarot: Quarot }
const layers: Record<string, { results: Record<string, Results> }> = JSON.parse(
  goldenText('reference-errors-transform.json'),
).layers

const MX_SETTINGS = ['W8A8', 'W4A8', 'W4A4', 'W4A16']
/** By family and recorded name: the setting. Integers: a scale per output channel and per token. */
const SETTINGS: Record<string, string> = {
  ...Object.fromEntries(MX_SETTINGS.map((setting) => [`mx:${setting}`, setting])),
  ...Object.fromEntries(MX_SETTINGS.slice(1).map((setting) => [`mxps:${setting}`, setting])),
  'int:W4A4': 'int4/int4',
  'int:W4A16': 'int4/16',
  'int:W8A8': 'int8/int8',
}

/** What was recorded once, with the signs of seed 0 where there are any, by its name in the file. */
const METHODS: Record<string, MethodChoice> = {
  rtn: { id: 'rtn', options: {} },
  hadamard_no_signs: { id: 'quarot', options: { signs: 'off' } },
  random_orthogonal: { id: 'quarot', options: { matrix: 'orthogonal' } },
  block_hadamard_32: { id: 'block-hadamard', options: { size: '32' } },
  block_hadamard_128: { id: 'block-hadamard', options: { size: '128' } },
  'scale_only_a0.3': { id: 'smoothquant', options: { alpha: 0.3 } },
  'scale_a0.3+quarot': { id: 'scaled-hadamard', options: { rotation: 'full' } },
  'scale_a0.3+block_hadamard_32': { id: 'scaled-hadamard', options: { rotation: 'block' } },
}

const cases = Object.keys(layers).flatMap((layer) => Object.keys(SETTINGS).map((key) => [layer, key] as const))
const lines: string[] = []

/** The two errors of `choice`, calibration and held-out. */
async function errorsOf([layer, key]: readonly [string, string], choice: MethodChoice, seed: number) {
  const golden = readGolden(`layers/${layer}.safetensors`)
  const upload = (name: string) => {
    const tensor = golden.get(name)
    if (!tensor) throw new Error(`${layer}: no ${name}`)
    const matrix = { rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() }
    return uploadMatrix(t.gpu, t.arena, matrix, name)
  }
  const [weight, calibration, evaluation] = ['layer.weight', 'calib.input', 'eval.input'].map(upload)
  const request = {
    ...STANDARD_MX,
    settings: [parseSetting(SETTINGS[key])],
    methods: [choice],
    rounding: 'half-away',
    preScale: key.startsWith('mxps') ? ({ factor: 0.75, variant: 'exact' } as const) : null,
    seed,
    headDim: null,
    scaleAnalysis: false,
  } as const
  const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => performance.now() }
  const found: number[] = []
  await runComparison({ name: layer, weight, calibration, evaluation, weightBits: 16 }, request, context, (event) => {
    if (event.kind !== 'outcome') return
    if (event.outcome.kind === 'failure') throw new Error(event.outcome.error.message)
    found.push(event.outcome.calibration.outputRelativeError, event.outcome.evaluation.outputRelativeError)
  })
  return found
}

function compare(found: readonly number[], { calib, eval: held }: Recorded, about: string, bar: number): void {
  const ratios = [found[0] / calib, found[1] / held]
  const digits = (values: readonly number[], count: number) => values.map((value) => value.toFixed(count)).join(' / ')
  lines.push(`| ${about} | ${digits(found, 5)} | ${digits([calib, held], 5)} | ${digits(ratios, 4)} |`)
  for (const ratio of ratios) expect(Math.abs(ratio - 1), lines.at(-1)).toBeLessThan(bar)
}

test.each(cases)('%s %s: two seeds of QuaRot have the recorded errors', async (layer, key) => {
  const { quarot } = layers[layer].results[key]
  for (const seed of [0, 1]) {
    const recorded = { calib: quarot.calib_seeds_0_4[seed], eval: quarot.eval_seeds_0_4[seed] }
    const found = await errorsOf([layer, key], { id: 'quarot', options: {} }, seed)
    compare(found, recorded, `${layer} | ${key} | quarot seed ${seed}`, BAR)
  }
})

test.each(cases)('%s %s: every other transform without training has the recorded errors', async (layer, key) => {
  const results = layers[layer].results[key]
  for (const [name, choice] of Object.entries(METHODS)) {
    if (!Object.hasOwn(results, name)) continue
    const found = await errorsOf([layer, key], choice, 0)
    compare(found, results[name], `${layer} | ${key} | ${name}`, name === 'random_orthogonal' ? SPREAD : BAR)
  }
})

afterAll(() => console.log(lines.join('\n')))
