import { expect, test } from 'vitest'
import { Arena } from '../../src/gpu/arena'
import { transpose } from '../../src/gpu/kernels/transpose'
import { readWords, uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

test.each([
  [1, 1],
  [7, 37],
  [64, 33],
])('turns a %i x %i matrix bit for bit and writes the padding', async (rows, cols) => {
  // Bit patterns of all kinds, NaN and subnormals among them.
  const bits = Uint32Array.from({ length: rows * cols }, (_, i) => Math.imul(i + 1, 0x9e3779b9) >>> 0)
  // The buffers that source and result are going to reuse, filled with rubbish to their ends.
  const before = new Arena(t.gpu)
  for (const rubbish of [before.matrix(rows, cols, 'rubbish'), before.matrix(cols, rows, 'rubbish')]) {
    t.gpu.device.queue.writeBuffer(rubbish.buffer, 0, new Uint32Array(rubbish.buffer.size / 4).fill(0x7fc00000))
  }
  before.release()
  const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data: new Float32Array(bits.buffer) }, 'source')
  const turned = transpose(t.recorder, t.arena, matrix)
  t.recorder.submit()
  const words = await readWords(t.gpu, turned.buffer, turned.rows * turned.stride)
  expect([turned.rows, turned.cols]).toEqual([cols, rows])
  for (let row = 0; row < turned.rows; row++) {
    for (let col = 0; col < turned.stride; col++) {
      const expected = col < turned.cols ? bits[col * cols + row] : 0
      if (words[row * turned.stride + col] !== expected) expect.fail(`row ${row}, column ${col}`)
    }
  }
})
