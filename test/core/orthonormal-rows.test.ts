import { describe, expect, test } from 'vitest'
import { orthonormaliseRows } from '../../src/core/orthonormal-rows'
import { createRandom } from '../../src/core/random'

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0)
const rowsOf = (data: Float64Array, count: number) =>
  Array.from({ length: count }, (_, i) => data.subarray((i * data.length) / count, ((i + 1) * data.length) / count))

function gaussian(count: number, length: number): Float64Array {
  const random = createRandom(count)
  return Float64Array.from({ length: count * length }, () => random.normal())
}

function expectOrthonormal(rows: readonly Float64Array[]): void {
  rows.forEach((row, i) => {
    rows.forEach((other, j) => {
      const bound = row.length * 2 ** -50
      expect(Math.abs(dot(row, other) - (i === j ? 1 : 0))).toBeLessThanOrEqual(bound)
    })
  })
}

describe('orthonormaliseRows', () => {
  test.each([
    [1, 1],
    [5, 7],
    [40, 130],
    [16, 16],
  ])('%i rows of %i become orthonormal and span what they spanned, row by row', (count, length) => {
    const data = gaussian(count, length)
    const before = rowsOf(data.slice(), count)
    orthonormaliseRows(data, count, length)
    const after = rowsOf(data, count)
    expectOrthonormal(after)
    before.forEach((row, i) => {
      const rest = row.slice()
      for (const unit of after.slice(0, i + 1)) {
        const projection = dot(rest, unit)
        unit.forEach((value, k) => {
          rest[k] -= projection * value
        })
      }
      expect(Math.sqrt(dot(rest, rest))).toBeLessThanOrEqual(count * length * 2 ** -50 * Math.sqrt(dot(row, row)))
    })
  })

  test('rows that differ in the last digits are orthonormal too', () => {
    const [count, length] = [6, 50]
    const noise = gaussian(count, length)
    const common = gaussian(1, length)
    const data = noise.map((value, i) => common[i % length] + 1e-8 * value)
    orthonormaliseRows(data, count, length)
    expectOrthonormal(rowsOf(data, count))
  })

  test('a row that depends on earlier ones becomes zero, and so does a zero row', () => {
    const data = Float64Array.of(3, 4, 0, -6, -8, 0, 0, 0, 0, 1, 1, 1)
    orthonormaliseRows(data, 4, 3)
    const [first, second, third, fourth] = rowsOf(data, 4)
    expect([...first]).toEqual([3 / 5, 4 / 5, 0].map((value) => expect.closeTo(value, 15)))
    expect([...second, ...third].map(Math.abs)).toEqual([0, 0, 0, 0, 0, 0])
    expectOrthonormal([first, fourth])
  })
})
