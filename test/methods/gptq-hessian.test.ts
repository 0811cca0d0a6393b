import { describe, expect, test } from 'vitest'
import { uploadMatrix } from '../../src/gpu/transfer'
import { dampingOverMedian, diagonalStatistics, gatherHessian } from '../../src/methods/gptq/hessian'
import { processingOrder } from '../../src/methods/gptq/order'
import { exactTn, worstErrorRatio } from '../oracle/matmul'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { gaussian, readChecked } from '../support/matrices'

const t = gpuFixture()

describe('gatherHessian', () => {
  test('returns the Gram matrix, its diagonal and the dead channels, and reports the tokens', async () => {
    const rows = gaussian(2100, 50, 4)
    const data = rows.data.map((value, i) => (i % 50 === 7 || i % 50 === 49 ? 0 : value))
    const seen: number[] = []
    const context = fitContext(t.gpu, t.arena, {
      onProgress: ({ stage, done, total }) => {
        expect([stage, total]).toEqual(['GPTQ statistics', 2100])
        seen.push(done)
      },
    })
    const calibration = uploadMatrix(t.gpu, t.arena, { ...rows, data }, 'rows')
    const before = t.gpu.pool.liveBytes
    const hessian = await gatherHessian(calibration, context)
    expect(t.gpu.pool.liveBytes - before).toBe(hessian.gram.buffer.size)
    expect(seen).toEqual([1024, 2048, 2100])
    const gram = await readChecked(t.gpu, hessian.gram)
    expect(worstErrorRatio(exactTn({ ...rows, data }, { ...rows, data }), gram, 2100)).toBeLessThanOrEqual(1)
    expect(hessian.diagonal).toEqual(gram.filter((_, i) => i % 51 === 0))
    expect(hessian).toMatchObject({ tokens: 2100, deadChannels: 2 })
    expect([hessian.diagonal[7], hessian.diagonal[49]]).toEqual([0, 0])
  })

  test('stops between slabs of tokens and keeps nothing but the unfinished matrix', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const context = fitContext(t.gpu, t.arena, {
      signal: controller.signal,
      onProgress: ({ done }) => {
        seen.push(done)
        controller.abort()
      },
    })
    const calibration = uploadMatrix(t.gpu, t.arena, gaussian(4000, 40, 1), 'rows')
    await expect(gatherHessian(calibration, context)).rejects.toMatchObject({ name: 'AbortError' })
    expect(seen).toEqual([1024])
  })

  test('refuses a calibration set without rows', async () => {
    const calibration = t.arena.matrix(0, 40, 'rows')
    await expect(gatherHessian(calibration, fitContext(t.gpu, t.arena))).rejects.toThrow('expected calibration rows')
  })
})

describe('diagonalStatistics', () => {
  test('mean and median leave dead channels out', () => {
    const odd = diagonalStatistics(Float32Array.of(0, 9, 1, 0, 2))
    expect(odd).toEqual({ deadChannels: 2, meanDiagonal: 4, medianDiagonal: 2 })
    const even = diagonalStatistics(Float32Array.of(10, 3, 1, 2))
    expect(even).toEqual({ deadChannels: 0, meanDiagonal: 4, medianDiagonal: 2.5 })
    expect(diagonalStatistics(new Float32Array(3))).toEqual({ deadChannels: 3, meanDiagonal: 0, medianDiagonal: 0 })
  })

  test('the damping of a layer with three large channels exceeds a typical diagonal', async () => {
    const rows = gaussian(64, 40, 1)
    const data = rows.data.map((value, i) => (i % 40 < 3 ? 100 * value : value))
    const calibration = uploadMatrix(t.gpu, t.arena, { ...rows, data }, 'rows')
    const hessian = await gatherHessian(calibration, fitContext(t.gpu, t.arena))
    // mean / median is about 3 · 10⁴ / 40 = 750.
    expect(dampingOverMedian(hessian, 0.01)).toBeGreaterThan(4)
    expect(dampingOverMedian(hessian, 0.01)).toBeLessThan(12)
  })
})

describe('processingOrder', () => {
  const diagonal = [1, 5, 5, 0, 2, 9, 9, 3, 5, 0]

  test('natural order is the identity', () => {
    expect([...processingOrder('natural', diagonal, 4)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('act-order falls, and equal elements keep their order', () => {
    expect([...processingOrder('act-order', diagonal, 4)]).toEqual([5, 6, 1, 2, 8, 7, 4, 0, 3, 9])
  })

  test('group order keeps blocks together and falls inside them', () => {
    // Blocks 0–3, 4–7, 8–9 have largest elements 5, 9, 5.
    expect([...processingOrder('group-order', diagonal, 4)]).toEqual([5, 6, 7, 4, 1, 2, 0, 3, 8, 9])
  })

  test('a short block stays last in group order, however large its elements', () => {
    expect([...processingOrder('group-order', [1, 2, 3, 4, 5, 6], 4)]).toEqual([3, 2, 1, 0, 5, 4])
  })

  test('every order is a permutation', () => {
    const values = gaussian(1, 1000, 9).data.map((value) => Math.round(3 * value))
    for (const order of ['natural', 'act-order', 'group-order'] as const) {
      expect(new Set(processingOrder(order, values, 32)).size).toBe(1000)
    }
  })
})
