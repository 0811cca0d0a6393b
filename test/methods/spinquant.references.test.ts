// SpinQuant on the golden layers against the errors of the official optimiser. Slow: `npm run references`.
// SPINQUANT_ONLY=layer-b:mx:W4A4 runs the cases whose name starts so.
import { afterAll, expect, test } from 'vitest'
import { parseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { spinquant } from '../../src/methods/transforms/spinquant'
import { fitContext, fitInput, outputError } from '../support/fit'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

/** The acceptance bar: trained methods stay within 2 % of the recorded errors, on both sets of rows. */
const BAR = 1.02
/** The largest entry of |RᵀR − I| after 60 steps, on every width. */
const ORTHOGONAL = 1e-4

interface Recorded {
  readonly calib: number
  readonly eval: number
}
const RECORDED_AS = { hadamard: 'spinquant', identity: 'spinquant_identity_init' } as const
type Start = keyof typeof RECORDED_AS
type Results = Record<string, Partial<Record<(typeof RECORDED_AS)[Start], Recorded>>>
const layers: Record<string, { results: Results }> = JSON.parse(goldenText('reference-errors-transform.json')).layers

const cases = Object.entries(layers).flatMap(([layer, { results }]) =>
  Object.entries(results).flatMap(([setting, found]) =>
    (['hadamard', 'identity'] as const).flatMap((start) => {
      const recorded = found[RECORDED_AS[start]]
      return recorded ? [{ name: `${layer}:${setting}:${start}`, layer, setting, start, recorded }] : []
    }),
  ),
)
const wanted = cases.filter(({ name }) => name.startsWith(process.env.SPINQUANT_ONLY ?? ''))
const lines: string[] = []

const MX: Record<string, string> = { 4: 'mxfp4', 8: 'mxfp8_e4m3' }

/** The recorded families: block formats round half away from zero, the 3/4 applies to four bits only. */
function quantizerOf(family: string, width: string): Quantizer | null {
  if (width === '16') return null
  const format = parseFormat(family === 'int' ? `int${width}` : MX[width])
  const preScale = family === 'mxps' && width === '4' ? ({ factor: 0.75, variant: 'exact' } as const) : null
  return makeQuantizer(format, { ...STANDARD_MX, rounding: 'half-away', preScale })
}

function readLayer(name: string) {
  const golden = readGolden(`layers/${name}.safetensors`)
  const upload = (tensor: string) => {
    const found = golden.get(tensor)
    if (!found) throw new Error(`${name}: no ${tensor}`)
    const [rows, cols] = found.shape
    return uploadMatrix(t.gpu, t.arena, { rows, cols, data: found.floats() }, tensor)
  }
  return { weight: upload('layer.weight'), calibration: upload('calib.input'), evaluation: upload('eval.input') }
}

test.each(wanted)('$name', async ({ name, layer: layerName, setting, start, recorded }) => {
  const [family, bits] = setting.split(':')
  const [, weightBits, activationBits] = /W(\d+)A(\d+)/.exec(bits) ?? []
  const config = { weight: quantizerOf(family, weightBits), activation: quantizerOf(family, activationBits) }
  const layer = readLayer(layerName)
  const input = fitInput(t.gpu, t.arena, { layer, config, transform: spinquant, options: { start } })
  const started = performance.now()
  const fitted = await spinquant.fit(input, fitContext(t.gpu, t.arena))
  const seconds = (performance.now() - started) / 1000
  const { weight } = layer
  const calibration = await outputError(t.gpu, { fitted, rows: layer.calibration, weight, config })
  const evaluation = await outputError(t.gpu, { fitted, rows: layer.evaluation, weight, config })
  const ratios = [calibration / recorded.calib, evaluation / recorded.eval]
  const notes = fitted.report.notes.join(' ')
  const orthogonality = Number(/\|RᵀR − I\|: (\S+)\./.exec(notes)?.[1])
  lines.push(
    `${name.padEnd(28)} calibration ${calibration.toFixed(5)} held-out ${evaluation.toFixed(5)} ` +
      `ratios ${ratios.map((ratio) => ratio.toFixed(3)).join(' ')} start ${fitted.report.training?.losses[0].toFixed(5)} ` +
      `best step ${fitted.report.training?.bestStep} |RᵀR − I| ${orthogonality} ${seconds.toFixed(0)} s`,
  )
  console.log(lines.at(-1))
  for (const ratio of ratios) expect(ratio).toBeLessThanOrEqual(BAR)
  expect(orthogonality).toBeLessThan(ORTHOGONAL)
})

afterAll(() => console.log(lines.join('\n')))
