import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { clipRows } from '../../src/gpu/kernels/clip-rows'
import { scaleColumns } from '../../src/gpu/kernels/scale-columns'
import { readFloats, readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** Rows of both signs, of one sign only, and one of zeros. */
function rowsOf(cols: number): Float32Array {
  const random = createRandom(cols)
  const shifts = [0, 9, -9, 0]
  return Float32Array.from({ length: 4 * cols }, (_, i) => {
    const row = Math.floor(i / cols)
    return row === 3 ? 0 : random.normal() + shifts[row]
  })
}

/** min(max(x, low · minimum), high · maximum), products rounded to f32. */
function clipped(data: Float32Array, cols: number, pairs: readonly (readonly [number, number])[]): Float32Array {
  const shared = pairs.length === 1
  return data.map((value, i) => {
    const row = data.subarray(i - (i % cols), i - (i % cols) + cols)
    const [low, high] = pairs[shared ? 0 : Math.floor(i / cols)].map(Math.fround)
    const minimum = Math.min(...row, ...(shared ? [0] : []))
    const maximum = Math.max(...row, ...(shared ? [0] : []))
    return Math.min(Math.max(value, Math.fround(low * minimum)), Math.fround(high * maximum))
  })
}

const PER_ROW = [
  [0.5, 0.75],
  [0.9, 0.25],
  [0.25, 0.9],
  [0.5, 0.5],
] as const

test.each([4, 32, 37, 100])('clamps %i columns to bounds per row and to shared ones', async (cols) => {
  const data = rowsOf(cols)
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 4, cols, data }, 'x')
  for (const pairs of [PER_ROW, [[0.5, 0.75]] as const]) {
    const bounds = uploadWords(t.gpu, t.arena, Float32Array.from(pairs.flat()), 'bounds')
    const out = clipRows(t.recorder, t.arena, matrix, { shared: pairs.length === 1, bounds })
    t.recorder.submit()
    const words = await readFloats(t.gpu, out.buffer, 4 * out.stride)
    expect(words.filter((_, i) => i % out.stride < cols)).toEqual(clipped(data, cols, pairs))
    expect(words.filter((_, i) => i % out.stride >= cols).every((value) => value === 0)).toBe(true)
  }
})

test.each([32, 37])('scales %i columns, each product rounded once, padding zero', async (cols) => {
  const data = rowsOf(cols)
  const scale = Float32Array.from({ length: cols }, (_, c) => Math.sin(c + 1))
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 4, cols, data }, 'x')
  const out = scaleColumns(t.recorder, t.arena, matrix, uploadWords(t.gpu, t.arena, scale, 'scale'))
  t.recorder.submit()
  expect((await readMatrix(t.gpu, out)).data).toEqual(data.map((value, i) => value * scale[i % cols]))
  const words = await readFloats(t.gpu, out.buffer, 4 * out.stride)
  expect(words.filter((_, i) => i % out.stride >= cols).every((value) => value === 0)).toBe(true)
})
