import { describe, expect, test } from 'vitest'
import { absoluteSums, decodeAbsoluteSums } from '../../src/gpu/kernels/absolute-sums'
import { addScaled } from '../../src/gpu/kernels/add-scaled'
import { readFloats, uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()

const upload = (matrix: ReturnType<typeof gaussian>) => uploadMatrix(t.gpu, t.arena, matrix, 'operand')

describe('addScaled', () => {
  test.each([
    [1, 1],
    [7, 37],
    [130, 96],
  ])('adds and subtracts [%i, %i] matrices, each element rounded once', async (rows, cols) => {
    poison(t.gpu, t.arena, rows, cols)
    const [a, b] = [gaussian(rows, cols, 1), gaussian(rows, cols, 2)]
    for (const factor of [1, -1]) {
      const sum = addScaled(t.recorder, t.arena, upload(a), upload(b), factor)
      t.recorder.submit()
      expect(await readChecked(t.gpu, sum)).toEqual(a.data.map((value, i) => value + factor * b.data[i]))
    }
  })

  test('scales the second operand', async () => {
    const [a, b] = [gaussian(3, 40, 3), gaussian(3, 40, 4)]
    const sum = addScaled(t.recorder, t.arena, upload(a), upload(b), 2.5)
    t.recorder.submit()
    const found = await readChecked(t.gpu, sum)
    found.forEach((value, i) => {
      const bound = 2 ** -23 * (Math.abs(a.data[i]) + 2.5 * Math.abs(b.data[i]))
      expect(Math.abs(value - (a.data[i] + 2.5 * b.data[i]))).toBeLessThanOrEqual(bound)
    })
  })

  test('refuses matrices of different shapes', () => {
    const [a, b] = [upload(gaussian(2, 40, 1)), upload(gaussian(2, 41, 1))]
    expect(() => addScaled(t.recorder, t.arena, a, b, 1)).toThrow('expected [2, 40], found [2, 41]')
  })
})

describe('absoluteSums', () => {
  test.each([
    [1, 5],
    [64, 32],
    [200, 70],
  ])('has the mean magnitude of every column of a [%i, %i] matrix', async (rows, cols) => {
    const x = gaussian(rows, cols, 5)
    const matrix = upload(x)
    const sums = absoluteSums(t.recorder, t.arena, matrix)
    t.recorder.submit()
    expect([sums.rows, sums.cols]).toEqual([Math.ceil(rows / 64), cols])
    const means = decodeAbsoluteSums(await readFloats(t.gpu, sums.buffer, sums.rows * sums.stride), matrix)
    for (let col = 0; col < cols; col++) {
      let exact = 0
      for (let row = 0; row < rows; row++) exact += Math.abs(x.data[row * cols + col]) / rows
      // 64 f32 additions per slab, all terms positive.
      expect(Math.abs(means[col] / exact - 1)).toBeLessThanOrEqual(64 * 2 ** -24)
    }
  })
})
