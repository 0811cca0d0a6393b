import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { uploadMatrix } from '../../src/gpu/transfer'
import { addCorrection, lowRankCorrection } from '../../src/methods/low-rank/correct-weight'
import { lowRankFactors } from '../../src/methods/low-rank/subspace'
import { gatherWeighting, type WeightingKind } from '../../src/methods/low-rank/weighting'
import {
  difference,
  energy,
  energyLeft,
  productNt,
  rowsOf,
  smallestEnergy,
  transposed,
  weightingRows,
} from '../oracle/low-rank'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { gaussian, readChecked } from '../support/matrices'
import { mixedActivations } from '../support/mixed-activations'

const t = gpuFixture()

const KINDS: readonly WeightingKind[] = ['plain', 'lqer', 'qera-approx', 'qera-exact']

const upload = (matrix: Matrix) => uploadMatrix(t.gpu, t.arena, matrix, 'operand')
const read = async (matrix: Parameters<typeof readChecked>[1]): Promise<Matrix> => ({
  rows: matrix.rows,
  cols: matrix.cols,
  data: await readChecked(t.gpu, matrix),
})

interface Case {
  readonly error: Matrix
  readonly x: Matrix
  readonly kind: WeightingKind
  readonly rank: number
  readonly seed?: number
}

async function factorsOf({ error, x, kind, rank, seed = 0 }: Case) {
  const context = fitContext(t.gpu, t.arena, { seed })
  const weighting = await gatherWeighting(kind, upload(x), context)
  const factors = await lowRankFactors({ matrix: upload(error), weighting }, { rank, iterations: 8 }, context)
  if (!factors) throw new Error('no factors')
  return { left: rowsOf(await read(factors.left)), right: rowsOf(await read(factors.right)) }
}

async function correctionOf({ error, x, kind, rank }: Case) {
  const input = {
    matrix: upload(error),
    calibration: upload(x),
    weighting: kind,
    rank,
    order: 'error-first',
    input: 'full',
  } as const
  return lowRankCorrection(input, fitContext(t.gpu, t.arena))
}

/** How far Σ |A||B| of a product of BF16 factors lets its elements be off: either factor by 2^-9, once each. */
const ROUNDING = 2 * 2 ** -9 + 2 ** -18

describe('lowRankFactors', () => {
  // Both sides of every inequality between the widths, ragged and even.
  const shapes = [
    { outDim: 48, inDim: 70, rank: 8 },
    { outDim: 70, inDim: 48, rank: 8 },
    { outDim: 90, inDim: 64, rank: 1 },
    { outDim: 40, inDim: 64, rank: 36 },
    { outDim: 130, inDim: 100, rank: 40 },
  ]
  test.each(shapes.flatMap((shape) => KINDS.map((kind) => [shape, kind] as const)))(
    '%o %s leaves hardly more than the exact decomposition',
    async ({ outDim, inDim, rank }, kind) => {
      const [error, x] = [gaussian(outDim, inDim, 1), mixedActivations(150, inDim, 2)]
      const [s, e] = [weightingRows(kind, rowsOf(x)), rowsOf(error)]
      const left = Math.sqrt(energyLeft(s, e, await factorsOf({ error, x, kind, rank })))
      const smallest = Math.sqrt(smallestEnergy(s, e, rank))
      // f32 products: what they are off by is small beside what is left.
      expect(left / smallest).toBeGreaterThan(1 - 1e-5)
      expect(left / smallest).toBeLessThan(1.001)
    },
  )

  test('where a few directions stand out it finds them, at any size of the matrix', async () => {
    const [thin, wide] = [gaussian(90, 3, 1), gaussian(70, 3, 2)]
    const strong = productNt(rowsOf(thin), rowsOf(wide)).map((row) => row.map((value) => 30 * value))
    const weak = rowsOf(gaussian(90, 70, 3))
    const x = mixedActivations(100, 70, 4)
    const matrix = Float32Array.from(strong.flatMap((row, i) => [...row.map((value, j) => value + weak[i][j])]))
    for (const kind of KINDS) {
      const s = weightingRows(kind, rowsOf(x))
      const smallest = smallestEnergy(s, rowsOf({ rows: 90, cols: 70, data: matrix }), 3)
      for (const size of [1, 2 ** -40, 2 ** 20]) {
        const error = { rows: 90, cols: 70, data: matrix.map((value) => size * value) }
        const left = energyLeft(s, rowsOf(error), await factorsOf({ error, x, kind, rank: 3 }))
        expect(Math.abs(left / (size * size * smallest) - 1)).toBeLessThan(1e-3)
      }
    }
  })

  test('the same seed gives the same bits, another seed nearly the same product', async () => {
    const [error, x] = [gaussian(100, 40, 1), mixedActivations(60, 40, 2)]
    const given = { error, x, kind: 'qera-exact', rank: 6 } as const
    const [first, again, other] = [
      await factorsOf(given),
      await factorsOf(given),
      await factorsOf({ ...given, seed: 5 }),
    ]
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    const [s, e] = [weightingRows('qera-exact', rowsOf(x)), rowsOf(error)]
    expect(energyLeft(s, e, other) / energyLeft(s, e, first)).toBeCloseTo(1, 2)
  })

  test('fewer calibration rows than directions: nothing of the error on them is left', async () => {
    const [error, x] = [gaussian(100, 64, 1), mixedActivations(5, 64, 2)]
    const [s, e] = [rowsOf(x), rowsOf(error)]
    const left = energyLeft(s, e, await factorsOf({ error, x, kind: 'qera-exact', rank: 8 }))
    // Rounding of sums of 64 products, in both of the products.
    expect(Math.sqrt(left / energy(productNt(s, e)))).toBeLessThan(128 * 2 ** -23)
  })

  test.each([50, 100])(
    'channels and outputs without any error or activation are no obstacle, %i outputs',
    async (outDim) => {
      const whole = gaussian(outDim, 64, 1)
      const error = { ...whole, data: whole.data.map((value, i) => (i < (outDim - 5) * 64 || i % 64 < 60 ? 0 : value)) }
      const rows = mixedActivations(40, 64, 2)
      const x = { ...rows, data: rows.data.map((value, i) => (i % 64 === 63 ? 0 : value)) }
      for (const kind of KINDS) {
        const [s, e] = [weightingRows(kind, rowsOf(x)), rowsOf(error)]
        const left = energyLeft(s, e, await factorsOf({ error, x, kind, rank: 8 }))
        expect(left).toBeLessThanOrEqual(1e-10 * energy(productNt(s, e)))
      }
    },
  )

  test('a matrix of zeros, or one that no calibration row sees, has no factors', async () => {
    const zero = { rows: 100, cols: 40, data: new Float32Array(4000) }
    const context = fitContext(t.gpu, t.arena)
    expect(
      await lowRankFactors(
        { matrix: upload(zero), weighting: { kind: 'identity' } },
        { rank: 4, iterations: 8 },
        context,
      ),
    ).toBeNull()
    const rows = upload({ rows: 3, cols: 40, data: new Float32Array(120) })
    const matrix = upload(gaussian(100, 40, 1))
    for (const kind of KINDS) {
      const weighting = await gatherWeighting(kind, rows, context)
      const factors = await lowRankFactors({ matrix, weighting }, { rank: 4, iterations: 8 }, context)
      // plain does not look at the rows, and lqer has a floor.
      if (kind === 'plain' || kind === 'lqer') expect(factors?.left.rows).toBe(4)
      else expect(factors).toBeNull()
    }
  })

  test('an overflow is refused', async () => {
    const huge = gaussian(100, 40, 1)
    const error = { ...huge, data: huge.data.map((value) => value * 2 ** 70) }
    await expect(factorsOf({ error, x: huge, kind: 'plain', rank: 4 })).rejects.toMatchObject({ code: 'MD-09' })
  })

  test('reports its iterations, stops between them and gives its memory back', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const context = fitContext(t.gpu, t.arena, {
      signal: controller.signal,
      onProgress: ({ stage, done, total }) => {
        expect([stage, total]).toEqual(['low-rank branch', 8])
        seen.push(done)
        if (done === 2) controller.abort()
      },
    })
    const matrix = upload(gaussian(100, 40, 1))
    const before = t.gpu.pool.liveBytes
    const run = lowRankFactors({ matrix, weighting: { kind: 'identity' } }, { rank: 4, iterations: 8 }, context)
    await expect(run).rejects.toMatchObject({ name: 'AbortError' })
    expect(seen).toEqual([1, 2])
    expect(t.gpu.pool.liveBytes).toBe(before)
  })
})

describe('lowRankCorrection', () => {
  const [error, x] = [gaussian(80, 96, 1), mixedActivations(300, 96, 2)]
  const [s, e] = [rowsOf(x), rowsOf(error)]

  async function leftOnCalibration(kind: WeightingKind, rank: number): Promise<number> {
    const correction = await correctionOf({ error, x, kind, rank })
    if (!correction) throw new Error('no correction')
    return energyLeft(s, e, { left: rowsOf(await read(correction.left)), right: rowsOf(await read(correction.right)) })
  }

  test('qera-exact leaves the smallest calibration error of the four, which falls as the rank grows', async () => {
    let previous = energy(productNt(s, e))
    for (const rank of [1, 4, 16, 48]) {
      const exact = await leftOnCalibration('qera-exact', rank)
      for (const kind of KINDS.slice(0, 3)) expect(exact).toBeLessThan(await leftOnCalibration(kind, rank))
      expect(exact).toBeLessThan(previous)
      previous = exact
    }
  })

  test.each([
    [40, 64, 40],
    [100, 40, 40],
    [100, 40, 256],
  ])(
    '[%i, %i] at rank %i: only the rounding of the factors is left, of whatever channel',
    async (outDim, inDim, rank) => {
      const matrix = gaussian(outDim, inDim, 3)
      for (const kind of KINDS) {
        // So few that most directions do not count.
        const rows = mixedActivations(3, inDim, 4)
        const correction = await correctionOf({ error: matrix, x: rows, kind, rank })
        if (!correction) throw new Error('no correction')
        const [left, right] = [rowsOf(await read(correction.left)), rowsOf(await read(correction.right))]
        const whole = rowsOf(matrix)
        const off = difference(whole, productNt(right, transposed(left)))
        const magnitudes = productNt(
          right.map((row) => row.map(Math.abs)),
          transposed(left.map((row) => row.map(Math.abs))),
        )
        off.forEach((row, i) => {
          row.forEach((value, j) => {
            // f32 products before the rounding are far more accurate.
            expect(Math.abs(value)).toBeLessThanOrEqual(1.01 * ROUNDING * magnitudes[i][j])
          })
        })
        expect(correction.bits).toBe(16 * 40 * (outDim + inDim))
      }
    },
  )

  test('has factors of BF16 numbers in the orientation of matmulNt, and counts their bits', async () => {
    const correction = await correctionOf({ error, x, kind: 'qera-exact', rank: 5 })
    if (!correction) throw new Error('no correction')
    expect([correction.left.rows, correction.left.cols]).toEqual([5, 96])
    expect([correction.right.rows, correction.right.cols]).toEqual([80, 5])
    expect(correction.bits).toBe(16 * 5 * (80 + 96))
    for (const factor of [correction.left, correction.right]) {
      const words = new Uint32Array((await readChecked(t.gpu, factor)).buffer)
      expect(words.every((word) => (word & 0xffff) === 0)).toBe(true)
    }
  })

  test('keeps nothing but the factors', async () => {
    const [matrix, calibration] = [upload(error), upload(x)]
    const before = t.gpu.pool.liveBytes
    const given = {
      matrix,
      calibration,
      weighting: 'qera-exact',
      rank: 5,
      order: 'error-first',
      input: 'full',
    } as const
    const correction = await lowRankCorrection(given, fitContext(t.gpu, t.arena))
    const kept = [correction?.left, correction?.right].map((factor) => factor?.buffer.size ?? 0)
    // bf16 rounding may bind a small context buffer of its own.
    expect(t.gpu.pool.liveBytes - before).toBeLessThanOrEqual(kept[0] + kept[1] + 1024)
  })

  test('rank 0 has no branch', async () => {
    expect(await correctionOf({ error, x, kind: 'plain', rank: 0 })).toBeNull()
  })
})

describe('addCorrection', () => {
  test('adds the product of rows, left and right factor', async () => {
    const [product, x, error] = [gaussian(33, 50, 1), gaussian(33, 40, 2), gaussian(50, 40, 3)]
    const correction = await correctionOf({ error, x, kind: 'plain', rank: 7 })
    if (!correction) throw new Error('no correction')
    const sum = addCorrection(t.recorder, t.arena, { product: upload(product), x: upload(x) }, correction)
    const plain = matmulNt(t.recorder, t.arena, upload(x), correction.left)
    t.recorder.submit()
    expect([plain.rows, plain.cols]).toEqual([33, 7])
    const [left, right] = [rowsOf(await read(correction.left)), rowsOf(await read(correction.right))]
    const found = await readChecked(t.gpu, sum)
    const magnitudes = productNt(
      productNt(
        rowsOf(x).map((row) => row.map(Math.abs)),
        left.map((row) => row.map(Math.abs)),
      ),
      right.map((row) => row.map(Math.abs)),
    )
    productNt(productNt(rowsOf(x), left), right).forEach((row, i) => {
      row.forEach((value, j) => {
        const at = i * 50 + j
        const bound = (40 + 7 + 4) * 2 ** -23 * (magnitudes[i][j] + Math.abs(product.data[at]))
        expect(Math.abs(found[at] - (product.data[at] + value))).toBeLessThanOrEqual(bound)
      })
    })
  })
})
