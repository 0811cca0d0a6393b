import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { blockCrests, CREST_WORDS, crestSums, meanCrest } from '../../src/gpu/kernels/block-crest'
import type { BlockWidth } from '../../src/gpu/kernels/block-layout'
import { readFloats, uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison } from '../support/matrices'

const t = gpuFixture()

/** max |x| over the root mean square of every block, in float64. */
function crestsOf({ rows, cols, data }: Matrix, width: BlockWidth): number[] {
  const step = width === 'row' ? cols : width
  const found: number[] = []
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < cols; start += step) {
      const values = [...data.subarray(row * cols + start, row * cols + Math.min(start + step, cols))]
      const peak = Math.max(...values.map(Math.abs))
      found.push(peak / Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length))
    }
  }
  return found
}

async function run(matrix: Matrix, width: BlockWidth) {
  poison(t.gpu, t.arena, matrix.rows, matrix.cols)
  const crests = blockCrests(t.recorder, t.arena, uploadMatrix(t.gpu, t.arena, matrix, 'x'), width)
  const sums = crestSums(t.recorder, t.arena, crests)
  t.recorder.submit()
  const pairs = await readFloats(t.gpu, crests.pairs, crests.words)
  return { pairs: [...pairs], mean: meanCrest(await readFloats(t.gpu, sums, CREST_WORDS)) }
}

/** Relative: a division (2.5 ULP), squares and sums of n terms, a root (its square: half the error of the sum). */
const tolerance = (n: number) => (n + 8) * 2 ** -23

test.each([8, 16, 32, 128, 'row'] as const)(
  'crest factors of blocks of %s, short last blocks included',
  async (width) => {
    for (const cols of [256, 100, 37, 3]) {
      const matrix = gaussian(7, cols, 5)
      const expected = crestsOf(matrix, width)
      const { pairs, mean } = await run(matrix, width)
      const bound = tolerance(width === 'row' ? cols : width)
      expect(pairs.length).toBe(2 * expected.length)
      expected.forEach((crest, block) => {
        expect(Math.abs(pairs[2 * block] / crest - 1)).toBeLessThan(bound)
        expect(pairs[2 * block + 1]).toBe(1)
      })
      const exactMean = expected.reduce((sum, crest) => sum + crest, 0) / expected.length
      expect(Math.abs(mean / exactMean - 1)).toBeLessThan(bound + expected.length * 2 ** -23)
    }
  },
)

test('flat blocks have crest 1, one lone element the root of the block size, at any magnitude', async () => {
  for (const size of [1, 1e-30, 1e30]) {
    const data = new Float32Array(64).fill(size).fill(0, 32).fill(-size, 40, 41)
    const { pairs } = await run({ rows: 1, cols: 64, data }, 32)
    expect(pairs[0]).toBeCloseTo(1, 6)
    expect(pairs[2]).toBeCloseTo(Math.sqrt(32), 5)
  }
})

test('blocks of zeros or subnormals do not count', async () => {
  const data = new Float32Array(96)
  data[0] = 2
  data.fill(1e-40, 64)
  const { pairs, mean } = await run({ rows: 1, cols: 96, data }, 32)
  expect(pairs.slice(2)).toEqual([0, 0, 0, 0])
  expect(mean).toBeCloseTo(Math.sqrt(32), 5)
})
