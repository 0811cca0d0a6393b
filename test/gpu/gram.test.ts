import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { diagonal } from '../../src/gpu/kernels/diagonal'
import { addGram, gramSlabRows } from '../../src/gpu/kernels/gram'
import { readFloats, uploadMatrix } from '../../src/gpu/transfer'
import { exactTn, worstErrorRatio } from '../oracle/matmul'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()

/** The Gram matrix of `x` in slabs of at most `step` rows. */
function gramOf(x: Matrix, step: number) {
  const onGpu = uploadMatrix(t.gpu, t.arena, x, 'x')
  const target = t.arena.matrix(x.cols, x.cols, 'gram')
  for (let begin = 0; begin < x.rows; begin += step) {
    addGram(t.recorder, onGpu, { target, begin, end: Math.min(x.rows, begin + step) })
  }
  t.recorder.submit()
  return target
}

test.each([
  [1, 1, 64],
  [5, 7, 64],
  [50, 40, 64],
  [70, 64, 33],
  [130, 65, 64],
  [201, 200, 100],
  [3, 290, 64],
])('the Gram matrix of %i rows of %i columns, %i rows at a time, is symmetric to the bit', async (rows, cols, step) => {
  const x = gaussian(rows, cols, rows + cols)
  poison(t.gpu, t.arena, cols, cols)
  const values = await readChecked(t.gpu, gramOf(x, step))
  expect(worstErrorRatio(exactTn(x, x), values, rows)).toBeLessThanOrEqual(1)
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < i; j++) expect(values[i * cols + j]).toBe(values[j * cols + i])
  }
})

test('slabs are no longer than 1,024 rows and cost one dispatch at most', () => {
  const software = { ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware: true } }
  expect(gramSlabRows(software, 5000, 256)).toBe(1024)
  expect(gramSlabRows(software, 5000, 1024)).toBe(256)
  expect(gramSlabRows(software, 5000, 8192)).toBe(64)
  expect(gramSlabRows(software, 40, 256)).toBe(64)
})

test('the diagonal of a matrix is read bit for bit', async () => {
  const x = gaussian(70, 70, 3)
  const out = diagonal(t.recorder, t.arena, uploadMatrix(t.gpu, t.arena, x, 'x'))
  t.recorder.submit()
  expect(await readFloats(t.gpu, out, 70)).toEqual(x.data.filter((_, i) => i % 71 === 0))
})
