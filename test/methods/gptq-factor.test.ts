import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import { uploadMatrix } from '../../src/gpu/transfer'
import {
  type FactorForm,
  type FactorPlace,
  type FactorRequest,
  factorHessian,
  factorPlace,
} from '../../src/methods/gptq/factor'
import { diagonalStatistics, gatherHessian, type Hessian } from '../../src/methods/gptq/hessian'
import { type ColumnOrder, processingOrder } from '../../src/methods/gptq/order'
import { dampedInOrder, exactFactors, product } from '../oracle/gptq-factor'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { readChecked } from '../support/matrices'

const t = gpuFixture()

/** What one rounded operation may be off by: half an ULP of f32, twice that where WGSL leaves the direction open. */
const F32 = 2 ** -23

/** Correlated rows whose channels differ in size; every `deadEvery`-th channel is zero. */
function calibrationRows(tokens: number, cols: number, deadEvery = 0): Matrix {
  const random = createRandom(tokens + cols)
  const data = new Float32Array(tokens * cols)
  for (let row = 0; row < tokens; row++) {
    const shared = random.normal()
    for (let col = 0; col < cols; col++) {
      const value = (shared + random.normal()) * (1 + ((7 * col) % 11))
      data[row * cols + col] = deadEvery > 0 && col % deadEvery === 1 ? 0 : value
    }
  }
  return { rows: tokens, cols, data }
}

const hessianOf = (rows: Matrix) =>
  gatherHessian(uploadMatrix(t.gpu, t.arena, rows, 'rows'), fitContext(t.gpu, t.arena))

const factor = (hessian: Hessian, request: FactorRequest) => factorHessian(hessian, request, fitContext(t.gpu, t.arena))

/** A Hessian whose Gram matrix is given, as no calibration rows would produce it. */
function hessianFrom(gram: Matrix): Hessian {
  const diagonal = gram.data.filter((_, i) => i % (gram.cols + 1) === 0)
  return {
    gram: uploadMatrix(t.gpu, t.arena, gram, 'gram'),
    tokens: 1,
    diagonal,
    ...diagonalStatistics(diagonal),
  }
}

const natural = (size: number) => Uint32Array.from({ length: size }, (_, channel) => channel)

function expectWithin(found: Float32Array, expected: Float64Array, bound: Float64Array): void {
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const ratio = Math.abs(found[i] - expected[i]) / (bound[i] + Number.MIN_VALUE)
    if (!(ratio <= worst)) worst = ratio
  }
  expect(worst).toBeLessThanOrEqual(1)
}

const CASES: { cols: number; tokens: number; order: ColumnOrder; deadEvery?: number; damping: number }[] = [
  { cols: 1, tokens: 3, order: 'natural', damping: 0.01 },
  { cols: 7, tokens: 40, order: 'natural', damping: 0.01 },
  { cols: 32, tokens: 200, order: 'act-order', damping: 0.01 },
  { cols: 33, tokens: 20, order: 'act-order', damping: 0.01 },
  { cols: 96, tokens: 300, order: 'act-order', deadEvery: 5, damping: 0.01 },
  { cols: 130, tokens: 60, order: 'group-order', deadEvery: 9, damping: 0.1 },
  { cols: 161, tokens: 100, order: 'group-order', damping: 0.03 },
]

describe.each(['cpu', 'gpu'] as const)('the factor computed on the %s', (place: FactorPlace) => {
  describe.each(['inverse', 'unit'] as const)('as the %s form', (form: FactorForm) => {
    test.each(CASES)('is the textbook one: $cols channels, $tokens tokens, $order', async (given) => {
      const hessian = await hessianOf(calibrationRows(given.tokens, given.cols, given.deadEvery))
      const order = processingOrder(given.order, hessian.diagonal, 32)
      const found = await factor(hessian, { order, damping: given.damping, form, place })
      expect(found).toMatchObject({ damping: given.damping, place })
      const gram = await readChecked(t.gpu, hessian.gram)
      const mean = hessian.meanDiagonal
      const exact = exactFactors(dampedInOrder(gram, order, { dead: mean, shift: given.damping * mean }), given.cols)
      const values = await readChecked(t.gpu, found.matrix)
      const sums = exact[`${form}Bound`](place === 'gpu' ? F32 : 2 ** -52)
      // In float64 the result is rounded to f32 at the end.
      const rounding = place === 'gpu' ? 0 : 2 ** -24
      const bound = sums.map((value, i) => value + rounding * Math.abs(exact[form][i]))
      expectWithin(values, exact[form], bound)
      for (let i = 0; i < given.cols; i++) {
        expect(values.subarray(i * given.cols, i * given.cols + i).every((value) => value === 0)).toBe(true)
      }
    })
  })

  test('U H Uᵀ is the identity within n ε cond(H), cond(H) ≤ 1 + n / λ, also with fewer tokens than channels', async () => {
    const [n, damping] = [257, 0.01]
    const hessian = await hessianOf(calibrationRows(64, n))
    const order = processingOrder('act-order', hessian.diagonal, 32)
    const { matrix } = await factor(hessian, { order, damping, form: 'inverse', place })
    const u = Float64Array.from(await readChecked(t.gpu, matrix))
    const shift = damping * hessian.meanDiagonal
    const h = dampedInOrder(await readChecked(t.gpu, hessian.gram), order, { dead: 1, shift })
    const identity = product(product(u, h, n), u, n, 'transposed')
    const bound = n * F32 * (1 + n / damping)
    let worst = 0
    for (let i = 0; i < n * n; i++) worst = Math.max(worst, Math.abs(identity[i] - Number(i % (n + 1) === 0)))
    expect(worst).toBeLessThanOrEqual(bound)
    // No direction of H⁻¹ exceeds the inverse of the damping: neither does a diagonal element, a column of U squared.
    for (let col = 0; col < n; col++) {
      let square = 0
      for (let row = 0; row <= col; row++) square += u[row * n + col] ** 2
      expect(square * shift).toBeLessThanOrEqual(1 + bound)
    }
  })

  test('a dead channel stands alone: its row and column of U are zero but for the diagonal', async () => {
    const hessian = await hessianOf(calibrationRows(50, 40, 8))
    expect(hessian.deadChannels).toBe(5)
    const { matrix } = await factor(hessian, { order: natural(40), damping: 0.01, form: 'inverse', place })
    const u = await readChecked(t.gpu, matrix)
    for (let dead = 1; dead < 40; dead += 8) {
      for (let other = 0; other < 40; other++) {
        if (other !== dead) expect(Math.abs(u[dead * 40 + other]) + Math.abs(u[other * 40 + dead])).toBe(0)
      }
      // 1 / √((1 + λ) · mean), a square root and a division in f32.
      const expected = 1 / Math.sqrt(1.01 * hessian.meanDiagonal)
      expect(Math.abs(u[dead * 41] / expected - 1)).toBeLessThan(4 * F32)
    }
  })

  test('the damping is raised until the pivots are positive, and the one used is reported', async () => {
    // Eigenvalues 2.05 and −0.05 around two channels of diagonal 1; the others are independent.
    const n = 40
    const gram = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0))
    gram[3 * n + 35] = 1.05
    gram[35 * n + 3] = 1.05
    const hessian = hessianFrom({ rows: n, cols: n, data: gram })
    const request = { order: natural(n), form: 'inverse', place } as const
    expect((await factor(hessian, { ...request, damping: 0.01 })).damping).toBe(0.1)
    expect((await factor(hessian, { ...request, damping: 0.06 })).damping).toBe(0.06)
    expect((await factor(hessian, { ...request, damping: 0.04 })).damping).toBe(0.1)
  })

  test('a matrix that is positive definite by itself needs no damping', async () => {
    const n = 40
    const data = Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 4 : 0))
    const request = { order: natural(n), damping: 0, form: 'inverse', place } as const
    const found = await factor(hessianFrom({ rows: n, cols: n, data }), request)
    expect(found.damping).toBe(0)
    // 1 / √4, a square root and a division.
    const values = await readChecked(t.gpu, found.matrix)
    for (let i = 0; i < n; i++) expect(Math.abs(values[i * (n + 1)] - 0.5)).toBeLessThan(4 * F32)
  })

  test('a matrix that no damping makes positive is refused with the channel and the dampings tried', async () => {
    const n = 40
    const gram = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0))
    gram[3 * n + 35] = 3
    gram[35 * n + 3] = 3
    const hessian = hessianFrom({ rows: n, cols: n, data: gram })
    const order = natural(n)
    // Processing order 0, 1, … with channels 3 and 35 exchanged: the later of the two in the reversed order fails.
    order[3] = 35
    order[35] = 3
    const work = factor(hessian, { order, damping: 0.01, form: 'inverse', place })
    await expect(work).rejects.toMatchObject({
      code: 'MD-05',
      message:
        'GPTQ factor: expected a positive definite matrix, found a pivot that is not positive at channel 35, ' +
        'damping 0.01, 0.03, 0.1, 0.3, 1.',
    })
  })

  test('a Gram matrix with a NaN is refused, not factored', async () => {
    const data = Float32Array.of(1, 0, 0, 0, Number.NaN, 0, 0, 0, 1)
    const hessian = { ...hessianFrom({ rows: 3, cols: 3, data }), meanDiagonal: 1 }
    const work = factor(hessian, { order: natural(3), damping: 0.01, form: 'inverse', place })
    await expect(work).rejects.toThrow('at channel 1')
  })

  test('an aborted run stops between panels and keeps no memory', async () => {
    const n = 1024
    const hessian = await hessianOf(calibrationRows(32, n))
    const before = t.gpu.pool.liveBytes
    const controller = new AbortController()
    const seen: number[] = []
    const context = fitContext(t.gpu, t.arena, {
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        seen.push(done / total)
        controller.abort()
      },
    })
    const request = { order: natural(n), damping: 0.01, form: 'inverse', place } as const
    await expect(factorHessian(hessian, request, context)).rejects.toMatchObject({ name: 'AbortError' })
    expect(seen.at(-1)).toBeLessThan(1)
    expect(t.gpu.pool.liveBytes).toBe(before)
  })

  test('leaves nothing behind but the factor, and reports its way', async () => {
    const hessian = await hessianOf(calibrationRows(90, 100))
    const before = t.gpu.pool.liveBytes
    const seen: number[] = []
    const context = fitContext(t.gpu, t.arena, {
      onProgress: ({ stage, done, total }) => {
        expect(stage).toBe('GPTQ factor')
        seen.push(done / total)
      },
    })
    const request = { order: natural(100), damping: 0.01, form: 'inverse', place } as const
    const { matrix } = await factorHessian(hessian, request, context)
    expect(t.gpu.pool.liveBytes - before).toBe(matrix.buffer.size)
    expect(seen.at(-1)).toBe(1)
    expect(seen).toEqual([...seen].sort())
  })

  test('the same factor twice has the same bits', async () => {
    const hessian = await hessianOf(calibrationRows(90, 100))
    const request = { order: natural(100), damping: 0.01, form: 'inverse', place } as const
    const [first, second] = [await factor(hessian, request), await factor(hessian, request)]
    expect(await readChecked(t.gpu, first.matrix)).toEqual(await readChecked(t.gpu, second.matrix))
  })
})

test('both places give the same factor within n ε cond(H) of its largest element', async () => {
  const [n, damping] = [400, 0.01]
  const hessian = await hessianOf(calibrationRows(900, n, 50))
  const order = processingOrder('act-order', hessian.diagonal, 32)
  const of = async (place: FactorPlace) =>
    readChecked(t.gpu, (await factor(hessian, { order, damping, form: 'inverse', place })).matrix)
  const [cpu, gpu] = [await of('cpu'), await of('gpu')]
  const largest = cpu.reduce((worst, value) => Math.max(worst, Math.abs(value)), 0)
  const difference = cpu.reduce((worst, value, i) => Math.max(worst, Math.abs(value - gpu[i])), 0)
  expect(difference).toBeGreaterThan(0)
  expect(difference / largest).toBeLessThanOrEqual(n * F32 * (1 + n / damping))
})

test('the float64 factor is chosen up to 2048 channels, up to 4096 on a software adapter or for a tiny damping', () => {
  const on = (isSoftware: boolean) => ({ ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware } })
  expect(factorPlace(on(false), 2048, 0.01)).toBe('cpu')
  expect(factorPlace(on(false), 2080, 0.01)).toBe('gpu')
  expect(factorPlace(on(false), 4096, 0.0001)).toBe('cpu')
  expect(factorPlace(on(true), 4096, 0.01)).toBe('cpu')
  expect(factorPlace(on(true), 4128, 0.0001)).toBe('gpu')
})

test('a Hessian without a live channel is named and not factored', async () => {
  const hessian = await hessianOf({ rows: 4, cols: 10, data: new Float32Array(40) })
  expect(hessian).toMatchObject({ deadChannels: 10, meanDiagonal: 0, medianDiagonal: 0 })
  const request = { order: natural(10), damping: 0.01, form: 'inverse', place: 'cpu' } as const
  await expect(factor(hessian, request)).rejects.toThrow('expected a live channel, found none')
})
