import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import type { Clip } from '../../src/methods/method'
import { clipSetsRange, roundActivations } from '../../src/methods/rounding/round-activations'
import { roundedOracle, type Table } from '../oracle/flatquant'
import { QUANTIZERS, quantizerCalled, relativeError } from '../support/flatquant'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const COLS = 100

/** One f32 product for a bound or a range and one for the scale; elements so near a tie that they flip are not drawn. */
const TOLERANCE = 2 ** -22

const clipOf = (shares: readonly number[]): Clip => ({
  activation: uploadWords(t.gpu, t.arena, Float32Array.from(shares), 'shares'),
  weight: null,
  activationBlocks: null,
  weightBlocks: null,
})

async function rounded(data: ArrayLike<number>, rows: number, how: Parameters<typeof roundActivations>[3]) {
  const cols = data.length / rows
  const x = uploadMatrix(t.gpu, t.arena, { rows, cols, data: Float32Array.from(data) }, 'x')
  const out = roundActivations(t.recorder, t.arena, x, how)
  t.recorder.submit()
  return (await readMatrix(t.gpu, out)).data
}

/** Rows of both signs, with the largest element on either side, of one sign only, and one of zeros. */
function table(): Table {
  const random = createRandom(11)
  const rows = [0, 0, 0, 3, -3].map((shift) => Array.from({ length: COLS }, () => random.normal() + shift))
  rows[0][7] = 9
  rows[1][7] = -9
  const data = [...rows.flat(), ...new Array<number>(COLS).fill(0)].map(Math.fround)
  return { rows: rows.length + 1, cols: COLS, data: Float64Array.from(data) }
}

test.each(QUANTIZERS)('%s: clipped and rounded as training sees it', async (_, quantizer) => {
  const values = table()
  const logits = Float64Array.of(1, 0.4)
  const shares = [...logits].map((logit) => Math.fround(1 / (1 + Math.exp(-logit))))
  const found = await rounded(values.data, values.rows, { quantizer, clip: clipOf(shares) })
  const expected = roundedOracle(values, { quantizer, rule: 'pass', clip: { logits, shared: true } })
  expect(relativeError(found, expected.data)).toBeLessThan(TOLERANCE)
})

test('only symmetric integers with a scale per row have their range clipped', () => {
  const names = QUANTIZERS.filter(([, quantizer]) => clipSetsRange(quantizer)).map(([name]) => name)
  expect(names).toEqual(['INT4', 'INT4 sym-half'])
})

test('a clipped range keeps what lies on the side that does not rule, up to its outermost code', async () => {
  const quantizer = quantizerCalled('INT4')
  const row = [14, -6, -13, 1, 8.9, -9.2, 0, 4]
  const found = await rounded(row, 1, { quantizer, clip: clipOf([0.25, 0.5]) })
  expect([...found]).toEqual([7, -6, -8, 1, 7, -8, 0, 4]) // the scale is 14 · 0.5 / 7 = 1
})

test('a row with an element that is not finite becomes NaN, the rows beside it do not', async () => {
  const quantizer = quantizerCalled('INT4')
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const found = await rounded([7, bad, 7, 1], 2, { quantizer, clip: clipOf([1, 1]) })
    expect([...found]).toEqual([Number.NaN, Number.NaN, 7, 1])
  }
})
