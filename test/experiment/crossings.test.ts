import { expect, test } from 'vitest'
import { crossings } from '../../src/experiment/crossings'
import type { OutlierPoint } from '../../src/experiment/outlier-study'

const STRENGTHS = [1, 2, 4, 8, 16]

function curve(method: string, errors: readonly (number | null)[], format = 'int4'): OutlierPoint[] {
  const flat = { kurtosis: 3, crest: 2 }
  return errors.map((evaluation, i) => ({
    ...{ format, method, strength: STRENGTHS[i], calibration: evaluation, evaluation, before: flat },
    ...{
      after: flat,
      predictedRotation: 0.1,
      notes: [],
      error: evaluation === null ? { kind: 'bug', code: 'X', message: '' } : null,
    },
  }))
}
const RTN = curve('rtn', [0.1, 0.1, 0.1, 0.1, 0.1])

test('a crossing lies where the line through the logarithms of ratio and strength is zero', () => {
  // ln ratio: −ln 2 at 4, +ln 4 at 8: a third of the octave from 4.
  const points = [...RTN, ...curve('quarot', [0.05, 0.05, 0.05, 0.4, 0.4])]
  const [crossing, ...others] = crossings(points)
  expect(crossing).toMatchObject({ format: 'int4', method: 'quarot', above: 'worse' })
  expect(crossing.strength).toBeCloseTo(4 * 2 ** (1 / 3), 12)
  expect(others).toEqual([])
})

test('a curve may cross there and back; points may come in any order', () => {
  const points = [...curve('quarot', [0.2, 0.05, 0.05, 0.2, 0.2]), ...RTN].reverse()
  const found = crossings(points)
  expect(found.map(({ above }) => above)).toEqual(['better', 'worse'])
  expect(found.map(({ strength }) => strength)).toEqual([Math.SQRT2, 4 * Math.SQRT2].map((k) => expect.closeTo(k, 12)))
})

test('curves closer than 2 % do not cross; one that passes slowly crosses once', () => {
  expect(crossings([...RTN, ...curve('quarot', [0.0995, 0.1005, 0.0995, 0.1005, 0.12])])).toEqual([])
  const slow = crossings([...RTN, ...curve('quarot', [0.05, 0.0995, 0.1005, 0.1005, 0.12])])
  expect(slow).toMatchObject([{ above: 'worse' }])
  expect(slow[0].strength).toBeGreaterThan(2)
  expect(slow[0].strength).toBeLessThan(4)
})

test('each format has its own baseline, and failed points are stepped over', () => {
  const points = [
    ...RTN,
    ...curve('rtn', [0.1, 0.1, 0.1, null, 0.1], 'mxfp4'),
    ...curve('quarot', [0.05, 0.05, 0.05, 0.05, 0.05]),
    ...curve('quarot', [0.05, 0.05, 0.05, 0.3, 0.2], 'mxfp4'),
  ]
  expect(crossings(points)).toEqual([
    { format: 'mxfp4', method: 'quarot', above: 'worse', strength: expect.closeTo(8, 12) },
  ])
})

test('without RTN there is nothing to cross', () => {
  expect(crossings(curve('quarot', [0.05, 0.05, 0.05, 0.4, 0.4]))).toEqual([])
})
