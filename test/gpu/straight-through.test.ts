import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import type { Quantizer } from '../../src/formats/number-format'
import { clipGradient } from '../../src/gpu/kernels/clip-gradient'
import { clipRanges } from '../../src/gpu/kernels/clip-ranges'
import { clipRows } from '../../src/gpu/kernels/clip-rows'
import { rangeGradient } from '../../src/gpu/kernels/range-gradient'
import { rowExtremes } from '../../src/gpu/kernels/row-extremes'
import { type StraightThroughRule, straightThrough, straightThroughRule } from '../../src/gpu/kernels/straight-through'
import { readFloats, readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { clipSetsRange } from '../../src/methods/rounding/round-activations'
import { roundedOracle, straightThroughOracle, type Table } from '../oracle/flatquant'
import { QUANTIZERS, quantizerCalled, recordedQuantizer, relativeError } from '../support/flatquant'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** A handful of f32 operations per element, and f32 sums of `cols` terms of about the size of the result. */
const toleranceOf = (cols: number) => cols * 2 ** -23

const upload = ({ rows, cols, data }: Table, name: string) =>
  uploadMatrix(t.gpu, t.arena, { rows, cols, data: Float32Array.from(data) }, name)

/** f32 numbers: rows of both signs, of one sign only, tiny, and beyond what FP16 and a bare E4M3 scale can hold. */
function rowsOf(cols: number): Table {
  const random = createRandom(cols)
  const rows: readonly (readonly [gain: number, shift: number])[] = [
    [1, 0],
    [1, 9],
    [1, -9],
    [1e-4, 0],
    [1500, 0],
    [4e4, 0],
  ]
  const data = rows.flatMap(([gain, shift]) =>
    Array.from({ length: cols }, () => Math.fround(gain * (random.normal() + shift))),
  )
  return { rows: rows.length, cols, data: Float64Array.from(data) }
}

interface Case {
  readonly quantizer: Quantizer
  readonly rule: StraightThroughRule
  readonly shared: boolean
}

/** Both kernels on `rows` with what the oracle makes of them, and the oracle. */
async function gradients(values: Table, { quantizer, rule, shared }: Case) {
  const { gpu, arena, recorder } = t
  const random = createRandom(5)
  const g: Table = { ...values, data: values.data.map(() => Math.fround(random.normal())) }
  const logits = Float64Array.from({ length: shared ? 2 : 2 * values.rows }, () => 2 + 0.5 * random.normal())
  const rounding = { quantizer, rule, clip: { logits, shared } }
  const gradient = upload(g, 'gradient')
  const x = upload(values, 'values')
  const shares = Float32Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)))
  const clipped = {
    values: x,
    extremes: rowExtremes(recorder, arena, x),
    bounds: uploadWords(gpu, arena, shares, 'bounds'),
    shared,
  }
  const quantized = upload(roundedOracle(values, rounding), 'quantized')
  const backward = () => {
    if (shared && clipSetsRange(quantizer)) {
      const ranges = clipRanges(recorder, arena, x, clipped.bounds)
      return rangeGradient(recorder, arena, gradient, { ...clipped, quantized, quantizer, ranges })
    }
    straightThrough(recorder, gradient, {
      values: clipRows(recorder, arena, x, clipped),
      quantized,
      quantizer,
      rule,
    })
    return clipGradient(recorder, arena, gradient, clipped)
  }
  const clip = backward()
  recorder.submit()
  const pairs = await readFloats(gpu, clip, 2 * values.rows)
  const clipExpected = new Float64Array(logits.length)
  const expected = straightThroughOracle(g, values, rounding, clipExpected)
  return {
    found: (await readMatrix(gpu, gradient)).data,
    clip: shared ? [0, 1].map((end) => pairs.reduce((sum, value, i) => sum + (i % 2 === end ? value : 0), 0)) : pairs,
    expected: expected.data,
    clipExpected,
  }
}

test.each(QUANTIZERS)(
  '%s: both operands, a short last block, rows of one sign, too large or tiny',
  async (_, quantizer) => {
    for (const shared of [false, true]) {
      const rules = shared && clipSetsRange(quantizer) ? (['scale'] as const) : (['saturation', 'scale'] as const)
      for (const rule of rules) {
        const { found, clip, expected, clipExpected } = await gradients(rowsOf(100), { quantizer, rule, shared })
        expect(relativeError(found, expected), `${rule} ${shared}`).toBeLessThan(toleranceOf(100))
        expect(relativeError(clip, clipExpected), `clips, ${rule} ${shared}`).toBeLessThan(toleranceOf(100))
      }
    }
  },
)

test('a block of zeros passes its gradient on, whatever the scale follows', async () => {
  const zeros: Table = { rows: 2, cols: 32, data: new Float64Array(64) }
  for (const name of ['MXFP4 floor', 'MXFP4 rceil', 'NVFP4', 'INT4', 'INT4 asym']) {
    const quantizer = quantizerCalled(name)
    for (const shared of [false, true]) {
      const { found } = await gradients(zeros, { quantizer, rule: straightThroughRule(quantizer), shared })
      const random = createRandom(5)
      expect([...found]).toEqual(Array.from({ length: 64 }, () => Math.fround(random.normal())))
    }
  }
})

test('the gradient through the scale equals the recorded one, saturated elements included', async () => {
  const { recorder } = t
  const golden = goldenTensors('transform/gradcheck.safetensors')
  const matrix = (name: string) => upload({ rows: 8, cols: 96, data: golden(`scale_ste.${name}`) }, name)
  const gradient = matrix('g_out')
  straightThrough(recorder, gradient, {
    values: matrix('x'),
    quantized: matrix('y'),
    quantizer: recordedQuantizer,
    rule: 'scale',
  })
  recorder.submit()
  const found = await readMatrix(t.gpu, gradient)
  expect(relativeError(found.data, golden('scale_ste.g_in'))).toBeLessThan(toleranceOf(32))
})
