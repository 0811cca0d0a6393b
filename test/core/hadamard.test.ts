import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeHadamard, planHadamard } from '../../src/core/hadamard'
import { hadamardBase } from '../../src/core/hadamard-base'
import { goldenText } from '../support/gpu'

interface Recorded {
  readonly base: Readonly<Record<string, { kind: string; sha256_int8_rowmajor: string; row0_sum: number }>>
  readonly hadamard: Readonly<Record<string, { K: number; log2: number }>>
}
const recorded: Recorded = JSON.parse(goldenText('transform/transforms.json'))

/** Largest |H Hᵀ − K I|: 0 for a Hadamard matrix. */
function defect(entries: Int8Array, order: number): number {
  let worst = 0
  for (let r = 0; r < order; r++) {
    for (let s = 0; s <= r; s++) {
      let dot = 0
      for (let c = 0; c < order; c++) dot += entries[r * order + c] * entries[s * order + c]
      worst = Math.max(worst, Math.abs(dot - (r === s ? order : 0)))
    }
  }
  return worst
}

describe('base matrices', () => {
  test.each(Object.entries(recorded.base))(
    'order %s has the recorded kind and entries',
    (order, { kind, ...facts }) => {
      const base = hadamardBase(Number(order))
      expect(base?.kind).toBe(kind)
      const entries = base?.entries ?? new Int8Array()
      expect(createHash('sha256').update(entries).digest('hex')).toBe(facts.sha256_int8_rowmajor)
      expect(entries.subarray(0, Number(order)).reduce((sum, entry) => sum + entry, 0)).toBe(facts.row0_sum)
    },
  )

  test('every order up to 260 that exists is orthogonal with entries ±1', () => {
    const orders = Array.from({ length: 260 }, (_, i) => i + 1).filter((order) => hadamardBase(order))
    expect(orders).toEqual(expect.arrayContaining([4, 12, 20, 28, 36, 52, 92, 100, 116, 156, 172, 180, 228]))
    for (const order of orders) {
      const entries = hadamardBase(order)?.entries ?? new Int8Array()
      expect(entries.every((entry) => Math.abs(entry) === 1)).toBe(true)
      expect([order, defect(entries, order)]).toEqual([order, 0])
    }
  })

  test.each([0, 2, 6, 30, 50, 107, 188])('no matrix of order %i is made up', (order) => {
    expect(hadamardBase(order)).toBeNull()
  })
})

describe('planHadamard', () => {
  test.each(Object.entries(recorded.hadamard))('n = %s splits as recorded', (n, { K, log2 }) => {
    expect(planHadamard(Number(n))).toMatchObject({ order: K, log2 })
  })

  test.each([
    [1600, 100, 16, 'williamson'],
    [2880, 180, 16, 'paley1'],
    [4096, 1, 4096, 'sylvester'],
    [4864, 76, 64, 'paley2'],
    [14336, 28, 512, 'paley2'],
    [18944, 148, 128, 'paley2'],
    [29568, 924, 32, 'paley2'],
    [13696, 107, 128, 'mixed'],
    [1000, 500, 2, 'paley1'],
    [194, 97, 2, 'mixed'],
    [97, 97, 1, 'mixed'],
    [1, 1, 1, 'sylvester'],
  ])('%i channels use %i x %i, %s', (n, order, run, kind) => {
    expect(planHadamard(n)).toMatchObject({ n, order, log2: Math.log2(run), kind })
  })

  test('order times run is always the width, and the outer matrix is orthogonal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (n) => {
        const plan = planHadamard(n, 1)
        expect(plan.order * 2 ** plan.log2).toBe(n)
        if (plan.base) expect(defect(plan.base, plan.order)).toBe(0)
      }),
      { seed: 7, numRuns: 60 },
    )
  })

  test('a mixed rotation is named and depends on the seed', () => {
    const [first, again, other] = [5, 5, 6].map((seed) => planHadamard(214, seed))
    expect(describeHadamard(first)).toMatch(/^Mixed rotation for 214 = 107 · 2/)
    expect(first).toEqual(again)
    expect(first).not.toEqual(other)
  })

  test('a width whose outer matrix would be too large is refused with the numbers', () => {
    expect(() => planHadamard(2 * 2053)).toThrow(/rotation of 4106 channels: .*at most 2048, found 2053 · 2\^1/)
    expect(() => planHadamard(0)).toThrow('found 0')
    expect(() => planHadamard(1.5)).toThrow('found 1.5')
  })

  test('the notes name the matrix', () => {
    expect(describeHadamard(planHadamard(64))).toBe('Walsh-Hadamard matrix of order 64.')
    expect(describeHadamard(planHadamard(1600))).toBe(
      'Hadamard matrix of order 1600 = 100 · 16 (Williamson of order 100).',
    )
  })
})
