import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import type { MethodResult } from '../../src/experiment/result'
import { runComparison } from '../../src/experiment/run-comparison'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** Activations with a few large elements on one side of zero, which a clip of their rows pays for. */
function matrix(rows: number, cols: number, { seed, outliers }: { seed: number; outliers: boolean }): Matrix {
  const random = createRandom(seed)
  const data = Float32Array.from({ length: rows * cols }, () => {
    const value = random.normal()
    return outliers && random.uniform() < 0.01 ? 6 + value : value
  })
  return { rows, cols, data }
}

async function learned(id: string, setting: string, steps: number): Promise<MethodResult> {
  const layer = {
    name: 'layer',
    weight: uploadMatrix(t.gpu, t.arena, matrix(24, 64, { seed: 1, outliers: false }), 'weight'),
    calibration: uploadMatrix(t.gpu, t.arena, matrix(48, 64, { seed: 2, outliers: true }), 'calibration'),
    evaluation: uploadMatrix(t.gpu, t.arena, matrix(20, 64, { seed: 3, outliers: true }), 'evaluation'),
    weightBits: 16,
  }
  const request = {
    ...STANDARD_MX,
    settings: [parseSetting(setting)],
    methods: [{ id, options: { steps } }],
    seed: 0,
    headDim: null,
    scaleAnalysis: true,
  }
  const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => 0 }
  const results: MethodResult[] = []
  await runComparison(layer, request, context, (event) => {
    if (event.kind !== 'outcome') return
    if (event.outcome.kind === 'failure') throw new Error(event.outcome.error.message)
    results.push(event.outcome)
  })
  return results[0]
}

test.each([
  ['flatquant', 'mxfp4/int4', 20],
  ['flatquant', 'int4/int4', 20],
  ['block-affine', 'mxfp4/mxfp4', 40],
  ['block-affine', 'mxfp4/int4', 20],
])('%s, %s: the clip of training is the clip of what is measured and analysed', async (id, setting, steps) => {
  const { calibration, evaluation, training, scaleAnalysis } = await learned(id, setting, steps)
  if (!training) throw new Error('nothing was learned')
  // Exponentials and inverses on the GPU during training, in float64 after it: a code may flip here and there.
  expect(calibration.outputRelativeError / training.losses[training.bestStep]).toBeCloseTo(1, 2)
  const split = scaleAnalysis?.split
  if (setting.startsWith('mxfp4')) expect(split?.powerOfTwo).toBeCloseTo(evaluation.outputRelativeError, 6)
  else expect(split).toBeNull()
})
