import { expect, test } from 'vitest'
import { eliminatePanel, NO_FAILED_PIVOT, panelOperations, panelsOf } from '../../src/gpu/kernels/cholesky'
import { Recorder } from '../../src/gpu/recorder'
import { readFloats, readWords, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

/** A factorisation about to start on a matrix of independent elements with `diagonal` on the diagonal. */
function workOn(stride: number, diagonal: (i: number) => number) {
  const { data } = gaussian(stride, stride, stride)
  for (let i = 0; i < stride; i++) data[i * stride + i] = diagonal(i)
  return {
    size: stride,
    stride,
    remaining: uploadMatrix(t.gpu, t.arena, { rows: stride, cols: stride, data }, 'a').buffer,
    pair: t.arena.buffer(4 * (stride ** 2 + 32 ** 2), 'pair'),
    info: uploadWords(t.gpu, t.arena, Uint32Array.of(NO_FAILED_PIVOT), 'info'),
  }
}

test('an update cut into row chunks equals the uncut one, bit for bit', async () => {
  // 64 · 2,176 operations a row: a software adapter takes 1,920 rows a dispatch, so 2,144 rows take two.
  const stride = 2176
  const run = async (isSoftware: boolean) => {
    const work = workOn(stride, () => 4 * stride)
    const recorder = new Recorder({ ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware } })
    eliminatePanel(recorder, work, 0)
    recorder.submit()
    // Rows below the panel: their first 32 columns and the triangle right of the diagonal are what later panels read.
    const rows = await readFloats(t.gpu, work.remaining, stride * stride)
    const read: Float32Array[] = []
    for (let row = 32; row < stride; row++) {
      read.push(rows.slice(row * stride, row * stride + 32), rows.slice(row * stride + row, (row + 1) * stride))
    }
    return read
  }
  const [cut, uncut] = [await run(true), await run(false)]
  expect(cut.every((part, i) => part.every((value, j) => Object.is(value, uncut[i][j])))).toBe(true)
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -130])(
  'a pivot of %f is named by its index, the smallest when there are several',
  async (value) => {
    const work = workOn(64, (i) => (i === 40 || i === 50 ? value : 1e4))
    // Far below the rounding of the others, so that the two bad elements stay what they are.
    for (const index of [40, 50]) {
      t.gpu.device.queue.writeBuffer(work.remaining, 4 * 64 * index, new Float32Array(64).fill(0))
      t.gpu.device.queue.writeBuffer(work.remaining, 4 * 65 * index, Float32Array.of(value))
      for (let row = 0; row < 64; row++) {
        if (row !== index) t.gpu.device.queue.writeBuffer(work.remaining, 4 * (64 * row + index), Float32Array.of(0))
      }
    }
    for (let panel = 0; panel < panelsOf(work); panel++) eliminatePanel(t.recorder, work, panel)
    t.recorder.submit()
    expect([...(await readWords(t.gpu, work.info, 1))]).toEqual([40])
  },
)

test('operations count the panel rows and the update: about two thirds of the cube in all', () => {
  const work = { stride: 4096 }
  let operations = 0
  for (let panel = 0; panel < panelsOf(work); panel++) operations += panelOperations(work, panel)
  expect(operations / ((2 / 3) * 4096 ** 3)).toBeGreaterThan(1)
  expect(operations / ((2 / 3) * 4096 ** 3)).toBeLessThan(1.05)
})
