import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { randomSigns } from '../../src/core/random'
import { blockCross, blockProduct } from '../../src/gpu/kernels/block-diagonal'
import { blockHadamard } from '../../src/gpu/kernels/block-hadamard'
import { blockInner } from '../../src/gpu/kernels/block-inner'
import { type BlockWidth, blockLayout } from '../../src/gpu/kernels/block-layout'
import { blockPeaks } from '../../src/gpu/kernels/block-peaks'
import { blockShares } from '../../src/gpu/kernels/block-shares'
import { clipBlocks, type FactorSharing } from '../../src/gpu/kernels/clip-blocks'
import { keepSmaller } from '../../src/gpu/kernels/keep-smaller'
import { readFloats, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()

const WIDTHS: readonly BlockWidth[] = [8, 16, 32, 64, 128, 'row']
/** Whole blocks, a short last one, one that ends inside a vec4, and one shorter than any block. */
const SIZES = [256, 100, 37, 3]
const CASES = WIDTHS.flatMap((width) => SIZES.map((cols) => [width, cols] as const))
const ROWS = 7

const upload = (matrix: Matrix) => uploadMatrix(t.gpu, t.arena, matrix, 'x')

/** Columns from and to (exclusive) of every block of a row. */
function spans(cols: number, width: BlockWidth): { start: number; end: number }[] {
  const step = width === 'row' ? cols : width
  return Array.from({ length: Math.ceil(cols / step) }, (_, block) => {
    return { start: block * step, end: Math.min((block + 1) * step, cols) }
  })
}

/** What `of` says about the elements of every block, row by row. */
function perBlock({ rows, cols, data }: Matrix, width: BlockWidth, of: (values: Float32Array) => number): number[] {
  return Array.from({ length: rows }, (_, row) =>
    spans(cols, width).map(({ start, end }) => of(data.subarray(row * cols + start, row * cols + end))),
  ).flat()
}

const peakOf = (values: Float32Array) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)

describe.each(CASES)('blocks of %s in %i columns', (width, cols) => {
  const x = gaussian(ROWS, cols, 3)
  const y = gaussian(ROWS, cols, 4)
  const peaks = perBlock(x, width, peakOf)
  const { length } = spans(cols, width)
  const blockOf = (i: number) => {
    const col = i % cols
    return Math.floor(i / cols) * length + (width === 'row' ? 0 : Math.floor(col / width))
  }

  test('peaks are the largest magnitudes', async () => {
    const found = blockPeaks(t.recorder, t.arena, upload(x), width)
    t.recorder.submit()
    expect([...(await readFloats(t.gpu, found, peaks.length))]).toEqual(peaks)
    expect(blockLayout(upload(x), width).blocks).toBe(length)
  })

  test('shares are magnitudes over the peak of their block, to 2.5 ULP', async () => {
    poison(t.gpu, t.arena, ROWS, cols)
    const found = blockShares(t.recorder, t.arena, upload(x), width)
    t.recorder.submit()
    ;(await readChecked(t.gpu, found)).forEach((share, i) => {
      const exact = Math.abs(x.data[i]) / peaks[blockOf(i)]
      expect(Math.abs(share - exact)).toBeLessThanOrEqual(2.5 * 2 ** -23 * exact)
    })
  })

  test.each<[FactorSharing, number]>([
    ['block', peaks.length],
    ['column', length],
    ['matrix', 1],
  ])('clips to a factor per %s', async (per, count) => {
    for (const smallest of [0.5, 2 ** -20]) {
      const factors = Float32Array.from({ length: count }, (_, i) => smallest + (i % 11) / 20)
      const buffer = uploadWords(t.gpu, t.arena, factors, 'factors')
      const found = clipBlocks(t.recorder, t.arena, upload(x), { width, per, factors: buffer })
      t.recorder.submit()
      const expected = x.data.map((value, i) => {
        const bound = Math.fround(factors[blockOf(i) % count] * peaks[blockOf(i)])
        return Math.sign(value) * Math.min(Math.abs(value), bound)
      })
      expect(await readChecked(t.gpu, found)).toEqual(expected)
    }
  })

  test('inner products of blocks add up in f32', async () => {
    const found = blockInner(t.recorder, t.arena, { a: upload(x), b: upload(y), width })
    t.recorder.submit()
    const products = { ...x, data: x.data.map((value, i) => value * y.data[i]) }
    const sizes = perBlock(products, width, (values) => values.reduce((sum, value) => sum + Math.abs(value), 0))
    const exact = perBlock(products, width, (values) => values.reduce((sum, value) => sum + value, 0))
    ;(await readFloats(t.gpu, found, exact.length)).forEach((value, i) => {
      expect(Math.abs(value - exact[i])).toBeLessThanOrEqual((cols + 2) * 2 ** -23 * sizes[i])
    })
  })
})

describe.each(CASES.filter(([width]) => width !== 'row'))(
  'cross products of blocks of %s in %i columns',
  (width, cols) => {
    const block = Number(width)

    test('a product with them is the one a dense block-diagonal matrix gives', async () => {
      const x = gaussian(21, cols, 5)
      const y = gaussian(21, cols, 7)
      const a = gaussian(ROWS, cols, 6)
      poison(t.gpu, t.arena, ROWS, cols)
      const cross = blockCross(t.recorder, t.arena, { left: upload(x), right: upload(y) }, block)
      const found = blockProduct(t.recorder, t.arena, upload(a), cross)
      t.recorder.submit()
      const values = await readChecked(t.gpu, found)
      for (let row = 0; row < ROWS; row++) {
        for (let col = 0; col < cols; col++) {
          const start = Math.floor(col / block) * block
          let exact = 0
          let size = 0
          for (let k = start; k < Math.min(start + block, cols); k++) {
            for (let token = 0; token < x.rows; token++) {
              const term = a.data[row * cols + k] * x.data[token * cols + k] * y.data[token * cols + col]
              exact += term
              size += Math.abs(term)
            }
          }
          const bound = (x.rows + block + 4) * 2 ** -23 * size
          expect(Math.abs(values[row * cols + col] - exact)).toBeLessThanOrEqual(bound)
        }
      }
    })
  },
)

test('a cross product of blocks is zero beyond the end of a row', async () => {
  const x = upload(gaussian(21, 37, 5))
  const { buffer } = blockCross(t.recorder, t.arena, { left: x, right: x }, 128)
  t.recorder.submit()
  const rows = await readFloats(t.gpu, buffer, 64 * 128)
  const isUsed = (i: number) => i % 128 < 37 && i < 37 * 128
  expect(rows.every((value, i) => (value !== 0) === isUsed(i))).toBe(true)
})

test('blocks that are tiny, zero or not finite are neither cut nor divided', async () => {
  const data = new Float32Array(4 * 32)
  data.set([2 ** -125, 2 ** -130, -(2 ** -149)])
  data.set([1, -2, Number.NaN], 64)
  data.set([1, -2, -Infinity], 96)
  const matrix = upload({ rows: 4, cols: 32, data })
  const factors = uploadWords(t.gpu, t.arena, Float32Array.of(0.5), 'factors')
  const clipped = clipBlocks(t.recorder, t.arena, matrix, { width: 32, per: 'matrix', factors })
  const tiny = upload({ rows: 2, cols: 32, data: data.slice(0, 64).map((value) => value / 4) })
  const shares = blockShares(t.recorder, t.arena, tiny, 32)
  t.recorder.submit()
  expect(new Uint32Array((await readFloats(t.gpu, clipped.buffer, 128)).buffer)).toEqual(new Uint32Array(data.buffer))
  expect(await readChecked(t.gpu, shares)).toEqual(new Float32Array(64))
})

test('the smaller value wins, the first of equals, and the first candidate in any case', async () => {
  const rounds = [
    [5, 1, 3, 2],
    [4, 1, 3, 9],
    [4, 0, 2, 2],
  ]
  const smallest = { best: t.arena.buffer(16, 'best'), choice: t.arena.buffer(16, 'choice'), count: 4 }
  t.gpu.device.queue.writeBuffer(smallest.best, 0, new Float32Array(4).fill(-1))
  for (const [i, values] of rounds.entries()) {
    const buffer = uploadWords(t.gpu, t.arena, Float32Array.from(values), 'values')
    keepSmaller(t.recorder, smallest, { values: buffer, candidate: 0.5 + i, isFirst: i === 0 })
  }
  t.recorder.submit()
  expect([...(await readFloats(t.gpu, smallest.best, 4))]).toEqual([4, 0, 2, 2])
  expect([...(await readFloats(t.gpu, smallest.choice, 4))]).toEqual([1.5, 2.5, 2.5, 0.5])
})

test('inner products of different shapes are refused', () => {
  const [a, b] = [upload(gaussian(2, 8, 1)), upload(gaussian(2, 9, 1))]
  expect(() => blockInner(t.recorder, t.arena, { a, b, width: 8 })).toThrow('expected [2, 8], found [2, 9]')
})

describe('blockHadamard', () => {
  test.each([
    [8, 24],
    [16, 48],
    [32, 96],
    [64, 192],
    [128, 256],
    [2, 6],
    [1024, 2048],
  ])('of size %i in %i columns is the Sylvester matrix over √size, block by block', async (size, cols) => {
    const x = gaussian(ROWS, cols, size)
    poison(t.gpu, t.arena, ROWS, cols)
    const found = blockHadamard(t.recorder, t.arena, upload(x), { size, signs: null })
    t.recorder.submit()
    const parity = (bits: number): number => (bits === 0 ? 0 : (bits & 1) ^ parity(bits >> 1))
    ;(await readChecked(t.gpu, found)).forEach((value, i) => {
      const start = i - (i % cols) + Math.floor((i % cols) / size) * size
      let exact = 0
      let energy = 0
      for (let j = 0; j < size; j++) {
        exact += (parity(j & (i - start)) ? -1 : 1) * x.data[start + j]
        energy += x.data[start + j] ** 2
      }
      const bound = 2 ** -23 * Math.log2(size) * Math.sqrt(energy)
      expect(Math.abs(value - exact / Math.sqrt(size))).toBeLessThanOrEqual(bound)
    })
  })

  test('signs are those of the channels, whatever their block', async () => {
    const x = gaussian(3, 96, 5)
    const signs = randomSigns(96, 2)
    const flipped = { ...x, data: x.data.map((value, i) => value * signs[i % 96]) }
    const [found, expected] = [
      blockHadamard(t.recorder, t.arena, upload(x), { size: 32, signs }),
      blockHadamard(t.recorder, t.arena, upload(flipped), { size: 32, signs: null }),
    ]
    t.recorder.submit()
    expect(await readChecked(t.gpu, found)).toEqual(await readChecked(t.gpu, expected))
  })

  test.each([
    [40, 32],
    [96, 48],
  ])('refuses %i columns in blocks of %i', (cols, size) => {
    const call = () => blockHadamard(t.recorder, t.arena, upload(gaussian(1, cols, 1)), { size, signs: null })
    expect(call).toThrow(`expected blocks of a power of two that divide the columns, found ${size} in ${cols}`)
  })
})
