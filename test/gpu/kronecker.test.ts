import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { kroneckerLeft, kroneckerRight } from '../../src/gpu/kernels/kronecker'
import { readFloats, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { kroneckerLeftRows, kroneckerRightRows } from '../oracle/orthogonal'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const golden = goldenTensors('transform/transforms.safetensors')

const gaussian = (length: number, seed: number) => {
  const random = createRandom(seed)
  return Float32Array.from({ length }, () => random.normal())
}
const upload = (values: ArrayLike<number>, cols: number) =>
  uploadMatrix(t.gpu, t.arena, { rows: values.length / cols, cols, data: Float32Array.from(values) }, 'x')
const uploadFactor = (values: ArrayLike<number>) => uploadWords(t.gpu, t.arena, Float32Array.from(values), 'factor')

/** Columns of `matrix`, after checking that its padding holds zeros. */
async function read(matrix: GpuMatrix): Promise<Float32Array> {
  t.recorder.submit()
  const padded = await readFloats(t.gpu, matrix.buffer, matrix.rows * matrix.stride)
  expect(padded.every((value, i) => i % matrix.stride < matrix.cols || value === 0)).toBe(true)
  return padded.filter((_, i) => i % matrix.stride < matrix.cols)
}

/** Every element within `depth` + 3 roundings of the sum of magnitudes `sizes` that made it. */
function expectWithin(found: ArrayLike<number>, expected: ArrayLike<number>, sizes: ArrayLike<number>, depth: number) {
  expect(found.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) {
    const bound = (depth + 3) * 2 ** -24 * sizes[i]
    if (!(Math.abs(found[i] - expected[i]) <= bound)) {
      throw new Error(`element ${i}: expected ${expected[i]} ± ${bound}, found ${found[i]}`)
    }
  }
}

const abs = (values: ArrayLike<number>) => Float64Array.from(values, Math.abs)

describe('against the sums themselves', () => {
  // Tiles of 8 runs and 2 rows with remainders, padded rows, runs that do not start on a vec4, a prime, one run.
  test.each([
    [5, 8, 12],
    [1, 16, 20],
    [3, 9, 8],
    [4, 4, 8],
    [2, 107, 4],
    [3, 10, 10],
    [2, 5, 7],
    [3, 1, 37],
    [2, 1, 96],
    [3, 24, 1],
  ])('%i rows of %i x %i', async (rows, a, b) => {
    const x = gaussian(rows * a * b, 1)
    const f = gaussian(b * b, 2)
    const g = gaussian(a * a, 3)
    const scale = gaussian(a * b, 4)
    const matrix = upload(x, a * b)
    for (const transposed of [false, true]) {
      const right = { rows, a, b, factor: f, transposed, scale }
      const call = { a, b, factor: uploadFactor(f), transposed, channelScale: uploadFactor(scale) }
      const magnitudes = kroneckerRightRows(abs(x), { ...right, factor: abs(f), scale: abs(scale) })
      const found = await read(kroneckerRight(t.recorder, t.arena, matrix, call))
      expectWithin(found, kroneckerRightRows(x, right), magnitudes, b)

      const left = { rows, a, b, factor: g, transposed }
      const sizes = kroneckerLeftRows(abs(x), { ...left, factor: abs(g) })
      const mixed = kroneckerLeft(t.recorder, t.arena, matrix, { a, b, factor: uploadFactor(g), transposed })
      expectWithin(await read(mixed), kroneckerLeftRows(x, left), sizes, a)
    }
  })
})

describe('against recorded transforms', () => {
  const shape = { a: 28, b: 32 }
  test.each([
    ['x', 'P', 'xt', 3],
    ['w', 'A', 'wt', 4],
  ])('%s (%s1 ⊗ %s2)', async (input, factor, output, rows) => {
    const [x, f1, f2] = [golden(`kron.${input}`), golden(`kron.${factor}1`), golden(`kron.${factor}2`)]
    const right = { ...shape, factor: uploadFactor(f2), transposed: false }
    const left = { ...shape, factor: uploadFactor(f1), transposed: false }
    const inner = kroneckerRight(t.recorder, t.arena, upload(x, 896), right)
    const found = await read(kroneckerLeft(t.recorder, t.arena, inner, left))
    const sizes = kroneckerLeftRows(
      kroneckerRightRows(abs(x), { ...shape, rows, factor: abs(f2), transposed: false }),
      { ...shape, rows, factor: abs(f1), transposed: false },
    )
    // Both sums, and the rounding of the recorded float64 operands to f32.
    expectWithin(found, golden(`kron.${output}`), sizes, 28 + 32 + 3)
  })

  test('x and w transformed give the recorded product', async () => {
    const transform = async (values: Float64Array, factor: string) => {
      const right = { ...shape, factor: uploadFactor(golden(`kron.${factor}2`)), transposed: false }
      const left = { ...shape, factor: uploadFactor(golden(`kron.${factor}1`)), transposed: false }
      const inner = kroneckerRight(t.recorder, t.arena, upload(values, 896), right)
      return read(kroneckerLeft(t.recorder, t.arena, inner, left))
    }
    const x = await transform(golden('kron.x'), 'P')
    const w = await transform(golden('kron.w'), 'A')
    golden('kron.y').forEach((expected, i) => {
      const [row, col] = [Math.floor(i / 4), i % 4]
      let sum = 0
      let magnitude = 0
      for (let c = 0; c < 896; c++) {
        sum += x[row * 896 + c] * w[col * 896 + c]
        magnitude += Math.abs(x[row * 896 + c] * w[col * 896 + c])
      }
      expect(Math.abs(sum - expected)).toBeLessThan(2 * (28 + 32) * 2 ** -24 * magnitude)
    })
  })
})

test('a factor for another width is refused', () => {
  const call = { a: 3, b: 8, factor: uploadFactor([1]), transposed: false }
  expect(() => kroneckerRight(t.recorder, t.arena, upload(new Float32Array(32), 32), call)).toThrow(
    'expected 3 x 8 = 24 columns, found 32',
  )
})
