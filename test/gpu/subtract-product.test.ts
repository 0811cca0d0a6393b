import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { type ProductRange, subtractProduct } from '../../src/gpu/kernels/subtract-product'
import { Recorder } from '../../src/gpu/recorder'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'
import { gaussian, readChecked } from '../support/matrices'

const t = gpuFixture()

const upload = (matrix: Matrix, label: string) => uploadMatrix(t.gpu, t.arena, matrix, label)

interface Operands {
  readonly left: Matrix
  readonly right: Matrix
  readonly target: Matrix
}

async function subtracted({ left, right, target }: Operands, range: ProductRange): Promise<Float32Array> {
  const onGpu = upload(target, 'target')
  subtractProduct(t.recorder, { left: upload(left, 'left'), right: upload(right, 'right'), target: onGpu }, range)
  t.recorder.submit()
  return readChecked(t.gpu, onGpu)
}

/** Largest error in units of its bound (depth + 3) · 2^-23 · (|target| + Σ|left||right|); columns before stay as they are. */
function worstRatio(found: Float32Array, { left, right, target }: Operands, range: ProductRange): number {
  let worst = 0
  for (let row = 0; row < target.rows; row++) {
    for (let col = 0; col < target.cols; col++) {
      const start = target.data[row * target.cols + col]
      let expected = start
      let magnitude = Math.abs(start)
      for (let k = 0; col >= range.firstCol && k < range.depth; k++) {
        const term =
          left.data[row * left.cols + range.leftFirst + k] * right.data[(range.rightFirst + k) * right.cols + col]
        expected -= term
        magnitude += Math.abs(term)
      }
      const bound = col >= range.firstCol ? (range.depth + 3) * 2 ** -23 * magnitude : 0
      const error = Math.abs(found[row * target.cols + col] - expected)
      const ratio = error === 0 ? 0 : error / bound
      if (!(ratio <= worst)) worst = ratio
    }
  }
  return worst
}

describe.each([
  { rows: 1, cols: 65, leftCols: 32, range: { leftFirst: 0, depth: 32, rightFirst: 0, firstCol: 32 } },
  { rows: 70, cols: 200, leftCols: 32, range: { leftFirst: 0, depth: 32, rightFirst: 64, firstCol: 96 } },
  { rows: 65, cols: 300, leftCols: 128, range: { leftFirst: 0, depth: 128, rightFirst: 128, firstCol: 256 } },
  { rows: 9, cols: 130, leftCols: 130, range: { leftFirst: 96, depth: 32, rightFirst: 33, firstCol: 128 } },
  { rows: 9, cols: 64, leftCols: 32, range: { leftFirst: 0, depth: 32, rightFirst: 32, firstCol: 64 } },
])('[$rows, $cols] from column $range.firstCol on, depth $range.depth', ({ rows, cols, leftCols, range }) => {
  test('loses the product there and nothing elsewhere', async () => {
    const operands = {
      left: gaussian(rows, leftCols, 1),
      right: gaussian(cols, cols, 2),
      target: gaussian(rows, cols, 3),
    }
    expect(worstRatio(await subtracted(operands, range), operands, range)).toBeLessThanOrEqual(1)
  })
})

test('a product cut into row chunks equals the uncut one, bit for bit', async () => {
  // 2 · 128 · 4,096 operations a row: a software adapter takes 256 rows a dispatch, so 270 rows take two.
  const operands = { left: gaussian(270, 128, 1), right: gaussian(128, 4128, 2), target: gaussian(270, 4128, 3) }
  const [left, right] = [upload(operands.left, 'left'), upload(operands.right, 'right')]
  const run = async (isSoftware: boolean) => {
    const target = upload(operands.target, 'target')
    const recorder = new Recorder({ ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware } })
    subtractProduct(recorder, { left, right, target }, { leftFirst: 0, depth: 128, rightFirst: 0, firstCol: 32 })
    recorder.submit()
    return readChecked(t.gpu, target)
  }
  const [cut, uncut] = [await run(true), await run(false)]
  expect(cut.every((value, i) => Object.is(value, uncut[i]))).toBe(true)
})

test.each([
  [{ leftFirst: 0, depth: 16, rightFirst: 0, firstCol: 32 }, 64, 'expected multiples of 32, found 16'],
  [{ leftFirst: 0, depth: 64, rightFirst: 0, firstCol: 32 }, 64, 'found depth 64'],
  [{ leftFirst: 0, depth: 32, rightFirst: 40, firstCol: 32 }, 64, 'found depth 32'],
  [{ leftFirst: 0, depth: 32, rightFirst: 0, firstCol: 32 }, 96, 'expected a target of [3, 64], found [3, 96]'],
])('operands that do not fit are refused', (range, cols, message) => {
  const [left, right] = [upload(gaussian(3, 32, 1), 'left'), upload(gaussian(64, 64, 1), 'right')]
  const target = upload(gaussian(3, cols, 1), 'target')
  expect(() => subtractProduct(t.recorder, { left, right, target }, range)).toThrow(message)
})
