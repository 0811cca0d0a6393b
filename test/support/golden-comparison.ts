import type { OptionValues } from '../../src/core/options'
import type { MethodResult } from '../../src/experiment/result'
import { runComparison } from '../../src/experiment/run-comparison'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { goldenText, type TestGpu } from './gpu'
import { readGolden } from './safetensors'

/** Recorded relative output errors of one method. */
export interface Recorded {
  readonly calib: number
  readonly eval: number
}

/** reference-errors-transform.json: by layer, then by family and setting (mx, mxps, int), then by method. */
export const recordedLayers: Record<string, { results: Record<string, Record<string, Recorded | null>> }> = JSON.parse(
  goldenText('reference-errors-transform.json'),
).layers

const INTEGERS: Record<string, string> = { 4: 'int4', 8: 'int8', 16: '16' }

/** The setting a recorded name such as mxps:W4A4 or int:W4A16 stands for. */
function settingOf(key: string) {
  const [family, bits] = key.split(':')
  if (family !== 'int') return parseSetting(bits)
  const [, weight, activation] = /^W(\d+)A(\d+)$/.exec(bits) ?? []
  return parseSetting(`${INTEGERS[weight]}/${INTEGERS[activation]}`)
}

/** The whole comparison of `methods` on a golden layer under a recorded setting; a failure throws. */
export async function compareGolden(
  t: TestGpu,
  { layer, key }: { layer: string; key: string },
  methods: readonly { readonly id: string; readonly options?: OptionValues }[],
  seed = 0,
): Promise<readonly MethodResult[]> {
  const golden = readGolden(`layers/${layer}.safetensors`)
  const upload = (name: string) => {
    const tensor = golden.get(name)
    if (!tensor) throw new Error(`${layer}: no ${name}`)
    return uploadMatrix(t.gpu, t.arena, { rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() }, name)
  }
  const [weight, calibration, evaluation] = ['layer.weight', 'calib.input', 'eval.input'].map(upload)
  const request = {
    ...STANDARD_MX,
    settings: [settingOf(key)],
    methods: methods.map(({ id, options }) => ({ id, options: options ?? {} })),
    rounding: 'half-away',
    preScale: key.startsWith('mxps') ? ({ factor: 0.75, variant: 'exact' } as const) : null,
    seed,
    headDim: null,
    scaleAnalysis: false,
  } as const
  const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => performance.now() }
  const results: MethodResult[] = []
  await runComparison({ name: layer, weight, calibration, evaluation, weightBits: 16 }, request, context, (event) => {
    if (event.kind !== 'outcome') return
    if (event.outcome.kind === 'failure') throw new Error(event.outcome.error.message)
    results.push(event.outcome)
  })
  return results
}

/** Calibration and held-out error of `result`, and both over the recorded ones; no ratios where nothing is recorded. */
export function againstRecorded({ calibration, evaluation }: MethodResult, recorded: Recorded | null | undefined) {
  const errors = [calibration.outputRelativeError, evaluation.outputRelativeError]
  const ratios = recorded ? [errors[0] / recorded.calib, errors[1] / recorded.eval] : []
  return { errors, ratios }
}
