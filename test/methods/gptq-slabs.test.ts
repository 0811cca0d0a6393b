import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { Arena } from '../../src/gpu/arena'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import { uploadMatrix } from '../../src/gpu/transfer'
import { factorSlabs, gatherDiagonal } from '../../src/methods/gptq/factor-slabs'
import { type ColumnOrder, processingOrder } from '../../src/methods/gptq/order'
import { prepareGptq } from '../../src/methods/gptq/quantize-weight'
import type { CalibrationPieces } from '../../src/methods/method'
import { dampedInOrder, exactFactors } from '../oracle/gptq-factor'
import { exactTn } from '../oracle/matmul'
import { fitContext } from '../support/fit'
import { correlatedRows, GPTQ_QUANTIZERS } from '../support/gptq'
import { gpuFixture } from '../support/gpu'
import { gaussian, readChecked } from '../support/matrices'

const t = gpuFixture()

/** `rows` in pieces of `size` rows, as X' comes. */
function piecesOf(rows: Matrix, size: number): CalibrationPieces {
  const pieces: Matrix[] = []
  for (let first = 0; first < rows.rows; first += size) {
    const data = rows.data.subarray(first * rows.cols, Math.min(first + size, rows.rows) * rows.cols)
    pieces.push({ rows: data.length / rows.cols, cols: rows.cols, data })
  }
  const forEach: CalibrationPieces['forEach'] = async (visit) => {
    for (const piece of pieces) await visit(uploadMatrix(t.gpu, t.arena, piece, 'piece'))
  }
  return { channels: rows.cols, tokens: rows.rows, forEach }
}

const largestOf = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

const CASES: { cols: number; tokens: number; order: ColumnOrder; deadEvery?: number; damping: number }[] = [
  { cols: 256, tokens: 300, order: 'natural', damping: 0.01 },
  { cols: 300, tokens: 200, order: 'act-order', damping: 0.03 },
  { cols: 461, tokens: 100, order: 'group-order', deadEvery: 9, damping: 0.1 },
]

describe('a factor in slabs of 128 rows', () => {
  test.each(CASES)('is the textbook one: $cols channels, $tokens tokens, $order', async (given) => {
    const rows = correlatedRows(given.tokens, given.cols, given.deadEvery)
    const calibration = piecesOf(rows, 90)
    const context = fitContext(t.gpu, t.arena)
    const facts = await gatherDiagonal(calibration, context)
    const gram = exactTn(rows, rows).values
    for (const [channel, value] of facts.diagonal.entries()) {
      expect(Math.abs(value - gram[channel * (rows.cols + 1)])).toBeLessThanOrEqual(1e-5 * value)
    }
    const order = processingOrder(given.order, facts.diagonal, 32)
    const { factor, damping } = await factorSlabs(
      calibration,
      facts,
      { order, damping: given.damping, rows: 128 },
      context,
    )
    expect(damping).toBe(given.damping)
    const mean = facts.meanDiagonal
    const exact = exactFactors(dampedInOrder(gram, order, { dead: mean, shift: given.damping * mean }), given.cols)
    expect(factor.blocks.map(({ first }) => first)).toEqual([0, 128, 256, 384].filter((first) => first < given.cols))
    for (const [index, { first, matrix }] of factor.blocks.entries()) {
      const block = await readChecked(t.gpu, matrix)
      const worst = { inverse: 0, unit: 0 }
      for (let row = 0; row < matrix.rows; row++) {
        for (let col = 0; col < matrix.cols; col++) {
          const expected = exact.inverse[(first + row) * given.cols + first + col]
          worst.inverse = Math.max(worst.inverse, Math.abs(block[row * matrix.cols + col] - expected))
        }
      }
      const scale = largestOf(exact.inverse)
      expect(worst.inverse, `U of block ${index}`).toBeLessThanOrEqual(1e-3 * scale)
      if (index === factor.blocks.length - 1) continue
      const coupling = await readChecked(t.gpu, factor.coupling[index])
      for (let row = 0; row < matrix.rows; row++) {
        for (let col = first + matrix.cols; col < given.cols; col++) {
          // C_ST times the block of I + N on T's diagonal is I + N between S and T.
          const expected = exact.unit[(first + row) * given.cols + col]
          let found = 0
          for (let k = col - (col % 128); k <= col; k++) {
            found += coupling[row * given.cols + k] * exact.unit[k * given.cols + col]
          }
          worst.unit = Math.max(worst.unit, Math.abs(found - expected))
        }
      }
      const size = largestOf(exact.unit)
      expect(worst.unit, `C beside block ${index}`).toBeLessThanOrEqual(1e-3 * size)
    }
  })
})

describe('prepareGptq', () => {
  const request = { scales: 'static', order: 'act-order', damping: 0.01, quantizer: GPTQ_QUANTIZERS[0][1] } as const

  /** Ŵ, with buffers of at most `maxBytes`. */
  async function rounded(weight: Matrix, calibration: CalibrationPieces, maxBytes: number) {
    const gpu = { ...t.gpu, pool: createBufferPool(t.gpu.device, { maxBytes }) }
    const arena = new Arena(gpu)
    try {
      const context = fitContext(gpu, arena)
      const { quantize, notes } = await prepareGptq(calibration, request, context)
      const found = await quantize(uploadMatrix(gpu, arena, weight, 'rows'), context)
      return { notes, values: await readChecked(gpu, found.weight) }
    } finally {
      arena.release()
      expect(gpu.pool.liveBytes).toBe(0)
      gpu.pool.trim()
    }
  }

  test.each([
    [512, 600 * 1024],
    [500, 300 * 1024],
  ])('of %i channels within %i bytes gives the codes of the factor that fits whole', async (cols, limit) => {
    const weight = gaussian(40, cols, 5)
    const calibration = piecesOf(correlatedRows(1500, cols), 100)
    const expected = await rounded(weight, calibration, 1e8)
    const found = await rounded(weight, calibration, limit)
    expect(found.notes).toEqual(expected.notes)
    // A value that f32 sums put on the other side of a boundary takes the rest of its row along.
    expect(found.values.filter((value, i) => value !== expected.values[i]).length).toBeLessThanOrEqual(
      0.005 * 40 * cols,
    )
  })

  test('channels that are all dead are rounded to nearest', async () => {
    const nothing = piecesOf({ rows: 9, cols: 300, data: new Float32Array(2700) }, 4)
    const { notes, values } = await rounded(gaussian(3, 300, 1), nothing, 300 * 1024)
    expect(notes).toEqual(['Every channel is zero in all calibration rows: weights are rounded to nearest.'])
    expect(values.some((value) => value !== 0)).toBe(true)
  })
})

test('a pivot that is not positive raises the damping, and the Gram matrix is computed anew', async () => {
  const rows = correlatedRows(40, 256)
  const reads: number[] = []
  const pieces = piecesOf(rows, 20)
  const calibration: CalibrationPieces = {
    ...pieces,
    forEach: (visit) => {
      reads.push(1)
      return pieces.forEach(visit)
    },
  }
  const context = fitContext(t.gpu, t.arena)
  const facts = await gatherDiagonal(calibration, context)
  const order = processingOrder('natural', facts.diagonal, 32)
  // Without damping worth the name a matrix of rank 40 has no 256 positive pivots in f32.
  const { damping } = await factorSlabs(calibration, facts, { order, damping: 1e-12, rows: 128 }, context)
  expect(damping).toBeGreaterThanOrEqual(0.001)
  expect(reads.length).toBeGreaterThanOrEqual(3)
  const broken = { ...facts, meanDiagonal: -1 }
  await expect(factorSlabs(calibration, broken, { order, damping: 0.3, rows: 128 }, context)).rejects.toMatchObject({
    code: 'MD-05',
  })
})
