// RTN and QuaRot through the whole comparison, on every golden layer and setting, against the recorded errors.
// `npm run references` runs it beside the slow test of the trained methods; both print the lines of docs/validation.md.
import { afterAll, expect, test } from 'vitest'
import { runComparison } from '../../src/experiment/run-comparison'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

/** Nothing is trained, so only float32 against float64 transforms may differ, and codes at ties. */
const BAR = 0.001

interface Recorded {
  readonly calib: number
  readonly eval: number
}
interface Quarot {
  readonly calib_seeds_0_4: readonly number[]
  readonly eval_seeds_0_4: readonly number[]
}
const layers: Record<string, { results: Record<string, { rtn: Recorded; quarot: Quarot }> }> = JSON.parse(
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
const cases = Object.keys(layers).flatMap((layer) => Object.keys(SETTINGS).map((key) => [layer, key] as const))
const lines: string[] = []

test.each(cases)('%s %s: RTN and QuaRot, two seeds, have the recorded errors', async (layer, key) => {
  const golden = readGolden(`layers/${layer}.safetensors`)
  const upload = (name: string) => {
    const tensor = golden.get(name)
    if (!tensor) throw new Error(`${layer}: no ${name}`)
    const matrix = { rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() }
    return uploadMatrix(t.gpu, t.arena, matrix, name)
  }
  const [weight, calibration, evaluation] = ['layer.weight', 'calib.input', 'eval.input'].map(upload)
  const { rtn, quarot } = layers[layer].results[key]
  for (const seed of [0, 1]) {
    const expected: Record<string, Recorded> = {
      rtn,
      quarot: { calib: quarot.calib_seeds_0_4[seed], eval: quarot.eval_seeds_0_4[seed] },
    }
    const request = {
      ...STANDARD_MX,
      settings: [parseSetting(SETTINGS[key])],
      methods: ['rtn', 'quarot'].map((id) => ({ id, options: {} })),
      rounding: 'half-away',
      preScale: key.startsWith('mxps') ? ({ factor: 0.75, variant: 'exact' } as const) : null,
      seed,
      headDim: null,
      scaleAnalysis: false,
    } as const
    const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => performance.now() }
    await runComparison({ name: layer, weight, calibration, evaluation, weightBits: 16 }, request, context, (event) => {
      if (event.kind !== 'outcome') return
      const { outcome } = event
      if (outcome.kind === 'failure') throw new Error(outcome.error.message)
      const found = [outcome.calibration.outputRelativeError, outcome.evaluation.outputRelativeError]
      const recorded = [expected[outcome.method].calib, expected[outcome.method].eval]
      const ratios = found.map((error, i) => error / recorded[i])
      lines.push(
        `| ${layer} | ${key} | ${outcome.method} seed ${seed} | ${found.map((error) => error.toFixed(5)).join(' / ')} | ` +
          `${recorded.map((error) => error.toFixed(5)).join(' / ')} | ${ratios.map((ratio) => ratio.toFixed(4)).join(' / ')} |`,
      )
      for (const ratio of ratios) expect(Math.abs(ratio - 1), lines.at(-1)).toBeLessThan(BAR)
    })
  }
})

afterAll(() => console.log(lines.join('\n')))
