import { expect, test } from 'vitest'
import { copyMatrix } from '../../src/gpu/kernels/copy-vec4'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

test('copies a ragged matrix bit for bit', async () => {
  const data = Float32Array.from({ length: 7 * 37 }, (_, i) => Math.sin(i) * 1e-3)
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: 7, cols: 37, data }, 'source')
  const copy = copyMatrix(t.recorder, t.arena, matrix)
  t.recorder.submit()
  expect((await readMatrix(t.gpu, copy)).data).toEqual(data)
})
