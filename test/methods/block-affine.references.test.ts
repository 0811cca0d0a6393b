// Block affine on the golden layers against recorded errors. Slow: `npm run references`.
// BLOCK_AFFINE_ONLY=layer-b:mx:W4A4 runs the cases whose name starts so.
import { afterAll, expect, test } from 'vitest'
import { parseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { blockAffine } from '../../src/methods/transforms/block-affine'
import { fitContext, fitInput, outputError } from '../support/fit'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

/** The acceptance bar: trained methods stay within 2 % of the recorded errors, on both sets of rows. */
const BAR = 1.02

interface Recorded {
  readonly calib: number
  readonly eval: number
}
const layers: Record<string, { results: Record<string, { block_affine_32?: Recorded }> }> = JSON.parse(
  goldenText('reference-errors-transform.json'),
).layers

const FORMATS: Record<string, string> = { 4: 'mxfp4', 8: 'mxfp8_e4m3' }
const cases = Object.entries(layers).flatMap(([layer, { results }]) =>
  Object.entries(results).flatMap(([setting, { block_affine_32: recorded }]) =>
    recorded ? [[`${layer}:${setting}`, recorded] as const] : [],
  ),
)
const wanted = cases.filter(([name]) => name.startsWith(process.env.BLOCK_AFFINE_ONLY ?? ''))
const lines: string[] = []

test('twelve settings are recorded', () => expect(cases).toHaveLength(12))

test.each(wanted)('%s', async (name, recorded) => {
  const [layerName, family, bits] = name.split(':')
  const [, weightBits, activationBits] = /W(\d+)A(\d+)/.exec(bits) ?? []
  const quantizer = (width: string): Quantizer | null => {
    if (width === '16') return null
    const preScale = family === 'mxps' ? ({ factor: 0.75, variant: 'exact' } as const) : null
    return makeQuantizer(parseFormat(FORMATS[width]), { ...STANDARD_MX, rounding: 'half-away', preScale })
  }
  const config = { weight: quantizer(weightBits), activation: quantizer(activationBits) }
  const golden = readGolden(`layers/${layerName}.safetensors`)
  const upload = (tensor: string) => {
    const { shape, floats } = golden.get(tensor) ?? { shape: [0, 0], floats: () => new Float32Array() }
    return uploadMatrix(t.gpu, t.arena, { rows: shape[0], cols: shape[1], data: floats() }, tensor)
  }
  const weight = upload('layer.weight')
  const layer = { weight, calibration: upload('calib.input'), evaluation: upload('eval.input') }
  const input = fitInput(t.gpu, t.arena, { layer, config, transform: blockAffine })
  const started = performance.now()
  const fitted = await blockAffine.fit(input, fitContext(t.gpu, t.arena))
  const seconds = (performance.now() - started) / 1000
  const calibration = await outputError(t.gpu, { fitted, rows: layer.calibration, weight, config })
  const evaluation = await outputError(t.gpu, { fitted, rows: layer.evaluation, weight, config })
  const ratios = [calibration / recorded.calib, evaluation / recorded.eval]
  lines.push(
    `${name.padEnd(20)} calibration ${calibration.toFixed(5)} held-out ${evaluation.toFixed(5)} ` +
      `ratios ${ratios.map((ratio) => ratio.toFixed(3)).join(' ')} ` +
      `start ${fitted.report.training?.losses[0].toFixed(5)} best step ${fitted.report.training?.bestStep} ${seconds.toFixed(0)} s`,
  )
  console.log(lines.at(-1), fitted.report.notes)
  for (const ratio of ratios) expect(ratio).toBeLessThanOrEqual(BAR)
})

afterAll(() => console.log(lines.join('\n')))
