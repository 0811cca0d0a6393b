import { describe, expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { Recorder } from '../../src/gpu/recorder'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { OnlineStep, Transform } from '../../src/methods/method'
import { clipSteps } from '../../src/methods/online'
import { TRANSFORMS } from '../../src/methods/registry'
import { clipActivations } from '../../src/methods/rounding/clip-activations'
import { applyStep, type ReadStep } from '../oracle/online-steps'
import { gpuFixture } from '../support/gpu'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const quantizerOf = (text: string) => makeQuantizer(parseFormat(text), STANDARD_MX)
const mxfp4 = quantizerOf('mxfp4')
const ROWS = 5

async function readStep({ kind, facts, tensors }: OnlineStep): Promise<ReadStep> {
  return { kind, facts, tensors: Object.fromEntries((await tensors()).map((tensor) => [tensor.name, tensor])) }
}

async function fitted(transform: Transform, cols: number, options: OptionValues, quantizer = mxfp4) {
  const [weight, calibration] = [gaussianMatrix(24, cols, 10), gaussianMatrix(64, cols, 20)]
  const config = { weight: quantizer, activation: quantizer }
  const input = fitInput(t, transform, { weight, calibration, config, options })
  return transform.fit(input, fitContext(t, 7))
}

/** Rows of X, and the largest difference between `found` and X through `steps` in float64, relative to each row. */
function worstDifference(x: Float32Array, cols: number, steps: readonly ReadStep[], found: Float32Array): number {
  let worst = 0
  for (let row = 0; row < ROWS; row++) {
    const rebuilt = steps.reduce(applyStep, Float64Array.from(x.subarray(row * cols, (row + 1) * cols)))
    const norm = Math.hypot(...rebuilt)
    rebuilt.forEach((value, channel) => {
      worst = Math.max(worst, Math.abs(value - found[row * cols + channel]) / norm)
    })
  }
  return worst
}

/** Every option that makes another kind of step, on a width that needs it. */
const VARIANTS: Readonly<Record<string, readonly (readonly [number, OptionValues])[]>> = {
  quarot: [
    [128, {}],
    [128, { signs: 'off' }],
    [320, {}],
    [224, {}],
    [100, {}],
    [96, { matrix: 'orthogonal' }],
    [128, { matrix: 'orthogonal', span: '32' }],
    [128, { span: '64' }],
  ],
  'block-hadamard': [[96, {}]],
  'scaled-hadamard': [
    [96, { rotation: 'block' }],
    [160, { rotation: 'full' }],
  ],
  spinquant: [
    [96, { steps: 3, form: 'dense' }],
    [96, { steps: 3, form: 'kronecker' }],
  ],
  flatquant: [
    [96, { steps: 3 }],
    [100, { steps: 3, parametrisation: 'inverse' }],
  ],
  'block-affine': [[96, { steps: 3 }]],
}

describe.each(TRANSFORMS.map((transform) => [transform.id, transform] as const))('%s', (id, transform) => {
  const variants = VARIANTS[id] ?? [[96, {}]]
  test.each(variants)('%i channels %j: X is rebuilt in float64 from what is exported', async (cols, options) => {
    const { apply, online } = await fitted(transform, cols, options)
    const x = gaussianMatrix(ROWS, cols, 30)
    const found = await readMatrix(t.gpu, apply(uploadMatrix(t.gpu, t.arena, x, 'x')))
    const steps = await Promise.all(online.map(readStep))
    for (const { facts } of steps) expect(facts.channels).toBe(cols)
    // f32 sums of at most `cols` terms, beside a float64 result from the same f32 tensors.
    expect(worstDifference(x.data, cols, steps, found.data)).toBeLessThan(cols * 2 ** -24)
    if (id === 'identity') expect(steps).toEqual([])
  })

  test('the clip is a step of its own, and clamps what the GPU clamps', async () => {
    const [[cols, options]] = variants
    const { apply, online, clip } = await fitted(transform, cols, options)
    const x = gaussianMatrix(ROWS, cols, 30)
    const recorder = new Recorder(t.gpu)
    const clamped = clipActivations(recorder, t.arena, apply(uploadMatrix(t.gpu, t.arena, x, 'x')), clip)
    recorder.submit()
    const clips = clipSteps(t.gpu, { clip, channels: cols }, mxfp4)
    expect(clips.length > 0).toBe(['flatquant', 'block-affine'].includes(id))
    const steps = await Promise.all([...online, ...clips].map(readStep))
    const found = await readMatrix(t.gpu, clamped)
    expect(worstDifference(x.data, cols, steps, found.data)).toBeLessThan(2 * cols * 2 ** -24)
    // Without the clip the rows are others, so that the step above did something.
    const unclipped = await Promise.all(online.map(readStep))
    if (clips.length > 0) expect(worstDifference(x.data, cols, unclipped, found.data)).toBeGreaterThan(1e-4)
    expect(clipSteps(t.gpu, { clip, channels: cols }, null)).toEqual([])
  })
})
