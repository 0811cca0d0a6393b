// SmoothQuant, AWQ, block Hadamard and scale-then-Hadamard with weights rounded to nearest, on the golden layers against
// the recorded errors of the published code and of float64 models. `npm run references` runs it; it prints a line per case:
// calibration / held-out error, recorded ones, their ratios.
import { afterAll, describe, expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import type { QuantConfig } from '../../src/formats/number-format'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { clipBlocks } from '../../src/gpu/kernels/clip-blocks'
import { Recorder } from '../../src/gpu/recorder'
import { uploadMatrix } from '../../src/gpu/transfer'
import { fitAwq } from '../../src/methods/channel-scaling/awq'
import type { FitInput, FittedTransform, Transform } from '../../src/methods/method'
import { awq } from '../../src/methods/transforms/awq'
import { blockHadamard } from '../../src/methods/transforms/block-hadamard'
import { scaledHadamard } from '../../src/methods/transforms/scaled-hadamard'
import { smoothquant } from '../../src/methods/transforms/smoothquant'
import { fitContext, fitInput, outputError } from '../support/fit'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

/** Same formulas: float32 against float64 moves a few codes at ties, no grid point. */
const BAR = 0.001

interface Recorded {
  readonly calibration: number
  readonly evaluation: number
  /** Grid point of AWQ, where it is recorded. */
  readonly ratio?: number
}

type Find = (layer: string, setting: string, preScaled: boolean) => Recorded | undefined

const compensation: Record<string, { results: readonly CompensationResult[] }> = JSON.parse(
  goldenText('reference-errors-compensation.json'),
).layers
interface CompensationResult {
  readonly method: string
  readonly setting: string
  readonly prescale: string
  readonly err_calib: number
  readonly err_eval: number
  readonly params?: { readonly ratio?: number }
}

const transforms: Record<string, { results: Record<string, Record<string, { calib: number; eval: number }>> }> =
  JSON.parse(goldenText('reference-errors-transform.json')).layers

const fromCompensation =
  (method: string): Find =>
  (layer, setting, preScaled) => {
    const found = compensation[layer]?.results.find(
      (each) => each.method === method && each.setting === setting && each.prescale === (preScaled ? '3/4' : 'none'),
    )
    return found && { calibration: found.err_calib, evaluation: found.err_eval, ratio: found.params?.ratio }
  }

const fromTransforms =
  (method: string): Find =>
  (layer, setting, preScaled) => {
    const found = transforms[`layer-${layer}`]?.results[`${preScaled ? 'mxps' : 'mx'}:${setting}`]?.[method]
    return found && { calibration: found.calib, evaluation: found.eval }
  }

interface Case {
  readonly name: string
  readonly transform: Transform
  readonly options: OptionValues
  readonly find: Find
}

const CASES: readonly Case[] = [
  ...[0.5, 0.85].map((alpha) => ({
    name: `SmoothQuant ${alpha}`,
    transform: smoothquant,
    options: { alpha },
    find: fromCompensation(`smoothquant-${alpha}`),
  })),
  { name: 'AWQ scale', transform: awq, options: { clip: 'off' }, find: fromCompensation('awq-scale') },
  { name: 'AWQ scale + clip', transform: awq, options: {}, find: fromCompensation('awq-scale-clip') },
  { name: 'AWQ duo', transform: awq, options: { variant: 'duo', clip: 'off' }, find: fromCompensation('awq-duo') },
  {
    name: 'AWQ activation-aware',
    transform: awq,
    options: { variant: 'activation-aware', clip: 'off' },
    find: fromCompensation('awq-act-aware'),
  },
  ...['32', '128'].map((size) => ({
    name: `block Hadamard ${size}`,
    transform: blockHadamard,
    options: { size },
    find: fromCompensation(`rtn-had${size}`),
  })),
  {
    name: 'scale, then block Hadamard',
    transform: scaledHadamard,
    options: { rotation: 'block' },
    find: fromTransforms('scale_a0.3+block_hadamard_32'),
  },
  {
    name: 'scale, then Hadamard',
    transform: scaledHadamard,
    options: {},
    find: fromTransforms('scale_a0.3+quarot'),
  },
]

const SETTINGS = [
  ...['W4A16', 'W4A8', 'W4A4'].flatMap((setting) => [false, true].map((preScaled) => ({ setting, preScaled }))),
  { setting: 'W8A8', preScaled: false },
]

const lines: string[] = []
afterAll(() => console.log(lines.join('\n')))

function readLayer(name: string) {
  const golden = readGolden(`layers/layer-${name}.safetensors`)
  const upload = (tensorName: string) => {
    const tensor = golden.get(tensorName)
    if (!tensor) throw new Error(`layer ${name}: no ${tensorName}`)
    const [rows, cols] = tensor.shape
    return uploadMatrix(t.gpu, t.arena, { rows, cols, data: tensor.floats() }, tensorName)
  }
  return { weight: upload('layer.weight'), calibration: upload('calib.input'), evaluation: upload('eval.input') }
}

/** The fit with its weight clipped, where AWQ has a clip. */
async function fitClipped(transform: Transform, input: FitInput): Promise<FittedTransform> {
  if (transform !== awq) return transform.fit(input, fitContext(t.gpu, t.arena))
  const fitted = await fitAwq(input, fitContext(t.gpu, t.arena))
  if (!fitted.clip?.weightBlocks) return fitted
  const recorder = new Recorder(t.gpu)
  const weight = clipBlocks(recorder, t.arena, fitted.weight, fitted.clip.weightBlocks)
  recorder.submit()
  return { ...fitted, weight }
}

/** r of the note `r = 0.35, the best of …`; 0 for the identity. */
function ratioOf({ report }: FittedTransform): number {
  return Number(/^r = ([\d.]+),/.exec(report.notes[0])?.[1] ?? 0)
}

const wanted = ['a', 'b', 'r'].flatMap((layer) =>
  CASES.filter(({ find }) => SETTINGS.some(({ setting, preScaled }) => find(layer, setting, preScaled))).map(
    (each) => [layer, each.name, each] as const,
  ),
)

describe('channel-wise methods', () => {
  test.each(wanted)(
    'layer %s, %s: the recorded errors',
    async (name, _, { name: method, transform, options, find }) => {
      const layer = readLayer(name)
      const misses: string[] = []
      for (const { setting, preScaled } of SETTINGS) {
        const recorded = find(name, setting, preScaled)
        if (!recorded) continue
        const config: QuantConfig = quantizersOf(parseSetting(setting), {
          ...STANDARD_MX,
          rounding: 'half-away',
          preScale: preScaled ? { factor: 0.75, variant: 'exact' } : null,
        })
        const fitted = await fitClipped(transform, fitInput(t.gpu, t.arena, { layer, config, transform, options }))
        const { weight, calibration, evaluation } = layer
        const errors = [
          await outputError(t.gpu, { fitted, rows: calibration, weight, config }),
          await outputError(t.gpu, { fitted, rows: evaluation, weight, config }),
        ]
        const ratios = [errors[0] / recorded.calibration, errors[1] / recorded.evaluation]
        const line =
          `| ${name} | ${method} | ${setting}${preScaled ? ' 3/4' : ''} | ${errors.map((e) => e.toFixed(5)).join(' / ')} | ` +
          `${[recorded.calibration, recorded.evaluation].map((e) => e.toFixed(5)).join(' / ')} | ` +
          `${ratios.map((ratio) => ratio.toFixed(4)).join(' / ')} |`
        lines.push(line)
        if (ratios.some((ratio) => Math.abs(ratio - 1) > BAR)) misses.push(line)
        const { ratio } = recorded
        if (ratio !== undefined && Math.abs(ratioOf(fitted) - ratio) > 1e-3) misses.push(`${line} r ${ratioOf(fitted)}`)
      }
      expect(misses).toEqual([])
    },
  )
})
