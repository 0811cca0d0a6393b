import { describe, expect, test } from 'vitest'
import { type ColumnWork, ERROR_COLS, gptqColumns } from '../../src/gpu/kernels/gptq-columns'
import { gptqGather } from '../../src/gpu/kernels/gptq-gather'
import { beginScales, updateScales } from '../../src/gpu/kernels/gptq-scales'
import { subtractProduct } from '../../src/gpu/kernels/subtract-product'
import { readFloats, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { GPTQ_QUANTIZERS } from '../support/gptq'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()
const [[, mxfp4]] = GPTQ_QUANTIZERS
const F32 = 2 ** -23

/** A well-conditioned upper triangle [n, n]: diagonal 1 to 2, the rest a tenth of normal. */
function upperTriangle(n: number) {
  const { data } = gaussian(n, n, 6)
  for (let i = 0; i < n * n; i++) {
    const [row, col] = [Math.floor(i / n), i % n]
    if (row === col) data[i] = 1 + (row % 5) / 5
    else data[i] = row < col ? data[i] / 10 : 0
  }
  return { rows: n, cols: n, data }
}

/** Static scales of the weight itself and everything gptqColumns needs, columns in reversed order. */
function beginWork(rows: number, cols: number): ColumnWork {
  const weight = uploadMatrix(t.gpu, t.arena, gaussian(rows, cols, 5), 'weight')
  const places = Uint32Array.from({ length: weight.stride }, (_, i) => (i < cols ? cols - 1 - i : i))
  const order = uploadWords(t.gpu, t.arena, places, 'order')
  const scales = beginScales(t.recorder, t.arena, weight, mxfp4)
  updateScales(t.recorder, weight, scales, { first: 0, end: weight.stride })
  const losses = t.arena.buffer(4 * rows, 'losses')
  t.recorder.clear(losses)
  return {
    work: gptqGather(t.recorder, t.arena, weight, order),
    factor: { matrix: uploadMatrix(t.gpu, t.arena, upperTriangle(cols), 'factor'), first: 0 },
    order,
    scales,
    byPlace: false,
    target: t.arena.matrix(rows, cols, 'target'),
    errors: t.arena.matrix(rows, ERROR_COLS, 'errors'),
    losses,
  }
}

test('columns are gathered in order, and the padding is zero', async () => {
  poison(t.gpu, t.arena, 5, 50)
  const { work } = beginWork(5, 50)
  t.recorder.submit()
  const { data } = gaussian(5, 50, 5)
  const reversed = data.map((_, i) => data[Math.floor(i / 50) * 50 + 49 - (i % 50)])
  expect(await readChecked(t.gpu, work)).toEqual(reversed)
})

describe('one chunk', () => {
  test.each([32, 20])(
    'w − q = d U for %i columns, the losses are the sum of d², and the rest is updated',
    async (cols) => {
      const rows = 70
      const state = beginWork(rows, cols)
      gptqColumns(t.recorder, state, 0, 16)
      t.recorder.submit()
      const d = await readFloats(t.gpu, state.errors.buffer, rows * ERROR_COLS)
      const work = await readFloats(t.gpu, state.work.buffer, rows * 32)
      const target = await readFloats(t.gpu, state.target.buffer, rows * 32)
      const losses = await readFloats(t.gpu, state.losses, rows)
      const { data: weight } = gaussian(rows, cols, 5)
      const { data: u } = upperTriangle(cols)
      for (let row = 0; row < rows; row++) {
        let loss = 0
        for (let col = 0; col < cols; col++) {
          let [sum, magnitude] = [0, 0]
          for (let k = 0; k <= Math.min(col, 15); k++) {
            sum += d[row * ERROR_COLS + k] * u[k * cols + col]
            magnitude += Math.abs(d[row * ERROR_COLS + k] * u[k * cols + col])
          }
          const w = weight[row * cols + cols - 1 - col]
          const left = col < 16 ? target[row * 32 + cols - 1 - col] : work[row * 32 + col]
          expect(Math.abs(w - sum - left)).toBeLessThanOrEqual(20 * F32 * (Math.abs(w) + magnitude))
          if (col < 16) loss += d[row * ERROR_COLS + col] ** 2
        }
        expect(Math.abs(losses[row] - loss)).toBeLessThanOrEqual(20 * F32 * loss)
      }
    },
  )

  test('in steps of 8 and 16 it is the same as at once, bit for bit', async () => {
    const results: Float32Array[] = []
    for (const step of [8, 16, 32]) {
      const state = beginWork(40, 32)
      for (let first = 0; first < 32; first += step) gptqColumns(t.recorder, state, first, first + step)
      t.recorder.submit()
      results.push(await readChecked(t.gpu, state.target))
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  test('padding columns stay zero, and have no error', async () => {
    poison(t.gpu, t.arena, 9, 20)
    const state = beginWork(9, 20)
    gptqColumns(t.recorder, state, 0, 32)
    t.recorder.submit()
    await readChecked(t.gpu, state.target)
    const d = await readFloats(t.gpu, state.errors.buffer, 9 * ERROR_COLS)
    for (let row = 0; row < 9; row++) {
      expect([...d.subarray(row * ERROR_COLS + 20, row * ERROR_COLS + 32)]).toEqual(new Array(12).fill(0))
    }
  })
})

test.each([32, 64, 128])('codes do not depend on how many columns update the rest together: 128 or %i', async (run) => {
  const cols = 256
  const whole = async (size: number) => {
    const state = beginWork(50, cols)
    const operands = { left: state.errors, right: state.factor.matrix, target: state.work }
    for (let begin = 0; begin < cols; begin += size) {
      const end = begin + size
      const leftFirst = begin % ERROR_COLS
      for (let chunk = begin; chunk < end; chunk += 32) {
        gptqColumns(t.recorder, state, chunk, chunk + 32)
        const range = { leftFirst: chunk % ERROR_COLS, depth: 32, rightFirst: chunk, firstCol: chunk + 32, endCol: end }
        if (chunk + 32 < end) subtractProduct(t.recorder, operands, range)
      }
      if (end < cols) {
        subtractProduct(t.recorder, operands, { leftFirst, depth: size, rightFirst: begin, firstCol: end })
      }
    }
    t.recorder.submit()
    return readChecked(t.gpu, state.target)
  }
  const [expected, found] = [await whole(128), await whole(run)]
  // Sums in another order: a value on a rounding boundary may turn, and takes the rest of its row along.
  const differing = found.filter((value, i) => value !== expected[i]).length
  expect(differing).toBeLessThanOrEqual(0.001 * found.length)
})

test('columns of two chunks, or no whole steps, are refused', () => {
  const state = beginWork(2, 64)
  for (const [first, end] of [
    [24, 40],
    [0, 12],
    [4, 32],
  ]) {
    expect(() => gptqColumns(t.recorder, state, first, end)).toThrow(
      'gptq_columns: expected columns of one chunk of 32',
    )
  }
})
