import { describe, expect, test } from 'vitest'
import type { NvfpQuantizer } from '../../src/formats/number-format'
import { nvfp4 } from '../../src/formats/nvfp4'
import { Arena } from '../../src/gpu/arena'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import { copyColumns, sliceColumns } from '../../src/gpu/kernels/copy-columns'
import { dampDiagonal } from '../../src/gpu/kernels/damp-diagonal'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { magnitudeMap } from '../../src/gpu/kernels/magnitude-map'
import { addGramRows } from '../../src/gpu/kernels/matmul-tn'
import { subtractProduct } from '../../src/gpu/kernels/subtract-product'
import { readFloats, uploadMatrix } from '../../src/gpu/transfer'
import { exactTn } from '../oracle/matmul'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()

const upload = (matrix: Parameters<typeof uploadMatrix>[2]) => uploadMatrix(t.gpu, t.arena, matrix, 'matrix')

describe('copyColumns', () => {
  test('moves a run of columns, bit for bit, and leaves the others', async () => {
    const [source, target] = [gaussian(5, 130, 1), gaussian(5, 200, 2)]
    const onGpu = upload(target)
    copyColumns(t.recorder, upload(source), onGpu, { from: 32, to: 96, cols: 64 })
    t.recorder.submit()
    const expected = target.data.map((value, i) => {
      const [row, col] = [Math.floor(i / 200), i % 200]
      return col >= 96 && col < 160 ? source.data[row * 130 + col - 64] : value
    })
    expect(await readChecked(t.gpu, onGpu)).toEqual(expected)
  })

  test('a slice at the end of a row has its padding', async () => {
    poison(t.gpu, t.arena, 5, 34)
    const source = gaussian(5, 130, 1)
    const slice = sliceColumns(t.recorder, t.arena, upload(source), { first: 96, cols: 34 })
    t.recorder.submit()
    const expected = Float32Array.from({ length: 170 }, (_, i) => source.data[Math.floor(i / 34) * 130 + 96 + (i % 34)])
    expect(await readChecked(t.gpu, slice)).toEqual(expected)
  })

  test.each([
    { from: 16, to: 0, cols: 32 },
    { from: 0, to: 32, cols: 32 },
    { from: 0, to: 0, cols: 20 },
  ])('refuses $from … + $cols to $to', (run) => {
    const target = upload(gaussian(2, 32, 1))
    expect(() => copyColumns(t.recorder, upload(gaussian(2, 64, 1)), target, run)).toThrow('expected whole strides')
  })
})

test('rows of a Gram matrix, piece of tokens by piece, from their diagonal on', async () => {
  const x = gaussian(90, 150, 3)
  const target = upload({ rows: 40, cols: 150, data: new Float32Array(6000).fill(7) })
  const part = (first: number, end: number) =>
    upload({ rows: end - first, cols: 150, data: x.data.slice(first * 150, end * 150) })
  addGramRows(t.recorder, part(0, 50), { target, first: 64, adds: false })
  addGramRows(t.recorder, part(50, 90), { target, first: 64, adds: true })
  t.recorder.submit()
  const { values, magnitudes } = exactTn(x, x)
  const found = await readChecked(t.gpu, target)
  let worst = 0
  for (let row = 0; row < 40; row++) {
    for (let col = 0; col < 150; col++) {
      const at = (64 + row) * 150 + col
      if (col < 64) expect(found[row * 150 + col]).toBe(7)
      else worst = Math.max(worst, Math.abs(found[row * 150 + col] - values[at]) / (92 * 2 ** -23 * magnitudes[at]))
    }
  }
  expect(worst).toBeLessThanOrEqual(1)
})

test('a product whose right side holds only the columns that change', async () => {
  const [left, right, target] = [gaussian(9, 32, 1), gaussian(32, 64, 2), gaussian(9, 200, 3)]
  const onGpu = upload(target)
  const range = { leftFirst: 0, depth: 32, rightFirst: 0, rightCol: 96, firstCol: 96, endCol: 160 }
  subtractProduct(t.recorder, { left: upload(left), right: upload(right), target: onGpu }, range)
  t.recorder.submit()
  const found = await readChecked(t.gpu, onGpu)
  for (const [i, start] of target.data.entries()) {
    const [row, col] = [Math.floor(i / 200), i % 200]
    let [expected, magnitude] = [start, Math.abs(start)]
    for (let k = 0; col >= 96 && col < 160 && k < 32; k++) {
      const term = left.data[row * 32 + k] * right.data[k * 64 + col - 96]
      expected -= term
      magnitude += Math.abs(term)
    }
    expect(Math.abs(found[i] - expected)).toBeLessThanOrEqual(col >= 96 && col < 160 ? 35 * 2 ** -23 * magnitude : 0)
  }
})

test('damping reaches the diagonal, and stands in for dead channels', async () => {
  const rows = upload({
    rows: 3,
    cols: 70,
    data: Float32Array.from({ length: 210 }, (_, i) => (i === 71 + 64 ? 0 : i + 1)),
  })
  dampDiagonal(t.recorder, rows, { first: 64, deadDiagonal: 5, shift: 0.5 })
  t.recorder.submit()
  const found = await readChecked(t.gpu, rows)
  expect([found[64], found[135], found[206]]).toEqual([65.5, 5.5, 207.5])
  expect(found[66]).toBe(67)
})

test.each([
  [300, 7],
  [90, 64],
])('maps of pieces of %i rows, together, are the map of all: pieces of %i', async (rows, size) => {
  const x = gaussian(rows, 300, 4)
  const cellsOf = async (first: number, end: number) => {
    const part = upload({ rows: end - first, cols: 300, data: x.data.slice(first * 300, end * 300) })
    const map = magnitudeMap(t.recorder, t.arena, part, { first, total: rows })
    t.recorder.submit()
    return readFloats(t.gpu, map.cells, map.rows * map.cols)
  }
  let together = new Float32Array(Math.min(rows, 128) * 256)
  for (let first = 0; first < rows; first += size) {
    const cells = await cellsOf(first, Math.min(first + size, rows))
    together = together.map((value, i) => Math.max(value, cells[i]))
  }
  expect(together).toEqual(await cellsOf(0, rows))
})

test('rows of a tensor in NVFP4 take the scale of the whole tensor where its maximum is given', async () => {
  const x = gaussian(20, 64, 6)
  const quantizer: NvfpQuantizer = { family: 'nvfp', format: nvfp4, fourOverSix: null, tensorScale: true }
  const tensorMaximum = x.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  const whole = fakeQuantize(t.recorder, t.arena, upload(x), quantizer)
  const first = { rows: 10, cols: 64, data: x.data.slice(0, 640) }
  const rest = { rows: 10, cols: 64, data: x.data.slice(640) }
  const parts = [first, rest].map((part) =>
    fakeQuantize(t.recorder, t.arena, upload(part), { ...quantizer, tensorMaximum }),
  )
  t.recorder.submit()
  const expected = await readChecked(t.gpu, whole)
  expect(await readChecked(t.gpu, parts[0])).toEqual(expected.slice(0, 640))
  expect(await readChecked(t.gpu, parts[1])).toEqual(expected.slice(640))
})

test('a pool with a limit of its own refuses what is larger, and says both numbers', () => {
  const pool = createBufferPool(t.gpu.device, { maxBytes: 1_000_000 })
  const arena = new Arena({ ...t.gpu, pool })
  expect(arena.buffer(800_000, 'fits').size).toBe(1_000_000)
  expect(pool.largestBytes).toBe(1_000_000)
  expect(() => arena.buffer(1_000_004, 'w')).toThrow(
    '"w" needs a buffer of 1000004 bytes; the limit set is 1000000 bytes.',
  )
  arena.release()
  pool.trim()
})
