import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import type { OptionValues } from '../../src/core/options'
import { optionsOf } from '../../src/experiment/catalog'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { Transform } from '../../src/methods/method'
import { METHODS, MITIGATIONS, methodById, TRANSFORMS } from '../../src/methods/registry'
import { gpuFixture } from '../support/gpu'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const quantizer = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const config = { weight: quantizer, activation: quantizer }
const WIDTHS = [32, 96, 100, 320]
const OUT = 24

/** Trained methods take a few steps only: the contract holds for every state they can be in. */
function quickOptions(transform: Transform): OptionValues {
  return transform.options.some(({ key }) => key === 'steps') ? { steps: 3 } : {}
}

/** Fits on 40 rows, applies to the first `rows` of other ones, and reads everything back. */
async function fitAndApply(transform: Transform, cols: number, { seed = 1, rows = 7 } = {}) {
  const weight = gaussianMatrix(OUT, cols, 10)
  const calibration = gaussianMatrix(40, cols, 20)
  const options = quickOptions(transform)
  const fitted = await transform.fit(
    fitInput(t, transform, { weight, calibration, config, options }),
    fitContext(t, seed),
  )
  const x = gaussianMatrix(rows, cols, 30)
  const applied = fitted.apply(uploadMatrix(t.gpu, t.arena, x, 'x'))
  return {
    weight,
    x,
    transformedWeight: await readMatrix(t.gpu, fitted.weight),
    transformedX: await readMatrix(t.gpu, applied),
    report: fitted.report,
  }
}

const rowOf = (matrix: Matrix, row: number) => matrix.data.subarray(row * matrix.cols, (row + 1) * matrix.cols)

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

const norm = (a: Float32Array) => Math.sqrt(dot(a, a))

/** Transforms that draw from the seed, and those that keep the norm of every row. */
const SEEDED = ['quarot', 'spinquant', 'flatquant', 'scaled-hadamard']
const ROTATIONS = ['quarot', 'spinquant', 'block-hadamard']

describe.each(TRANSFORMS.map((transform) => [transform.id, transform] as const))('%s', (id, transform) => {
  const widths = id.startsWith('block-') ? WIDTHS.filter((cols) => cols % 32 === 0) : WIDTHS
  test.each(widths)("X'W'ᵀ equals XWᵀ with %i channels, for rows it was not fitted on", async (cols) => {
    const { weight, x, transformedWeight, transformedX } = await fitAndApply(transform, cols)
    expect([transformedX.rows, transformedX.cols]).toEqual([x.rows, cols])
    expect([transformedWeight.rows, transformedWeight.cols]).toEqual([OUT, cols])
    for (let row = 0; row < x.rows; row++) {
      for (let out = 0; out < OUT; out++) {
        const found = dot(rowOf(transformedX, row), rowOf(transformedWeight, out))
        const expected = dot(rowOf(x, row), rowOf(weight, out))
        // Every element of X' and of W' is a sum of at most `cols` f32 steps, so either row is off by at most
        // cols · 2^-24 of its norm; products are taken in float64.
        const bound = 2 * cols * 2 ** -24 * norm(rowOf(transformedX, row)) * norm(rowOf(transformedWeight, out))
        expect(Math.abs(found - expected)).toBeLessThanOrEqual(bound)
      }
    }
  })

  test('a row is transformed the same whatever rows stand beside it', async () => {
    const few = await fitAndApply(transform, 96, { rows: 2 })
    const many = await fitAndApply(transform, 96, { rows: 65 })
    expect(many.transformedX.data.subarray(0, 2 * 96)).toEqual(few.transformedX.data)
  })

  test('the same seed gives the same bits', async () => {
    const [first, again] = [await fitAndApply(transform, 96), await fitAndApply(transform, 96)]
    expect(again).toEqual(first)
  })

  if (SEEDED.includes(id)) {
    test('another seed gives another transform', async () => {
      const first = await fitAndApply(transform, 96)
      const other = await fitAndApply(transform, 96, { seed: 2 })
      expect(other.transformedX.data).not.toEqual(first.transformedX.data)
    })
  }

  if (ROTATIONS.includes(id)) {
    test.each(widths)('a rotation of %i channels keeps the norm of every row', async (cols) => {
      const { x, transformedX } = await fitAndApply(transform, cols)
      for (let row = 0; row < x.rows; row++) {
        const change = norm(rowOf(transformedX, row)) / norm(rowOf(x, row)) - 1
        expect(Math.abs(change)).toBeLessThan(cols * 2 ** -24)
      }
    })
  }

  test('says what it costs online', async () => {
    const { report } = await fitAndApply(transform, 32)
    if (id === 'identity') expect(report.onlineOperations).toBe(0)
    else expect(report.onlineOperations).toBeGreaterThan(0)
  })
})

test('ids are unique, and the grid holds every transform with every mitigation', () => {
  for (const list of [METHODS, TRANSFORMS, MITIGATIONS]) {
    const ids = list.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  }
  for (const transform of TRANSFORMS) {
    for (const mitigation of MITIGATIONS) {
      const cells = METHODS.filter((method) => method.transform === transform && method.mitigation === mitigation)
      expect(cells.length).toBeGreaterThanOrEqual(1)
      // What else stands in a cell under a name of its own starts from other options.
      const starts = cells.map((method) => JSON.stringify(optionsOf(method).map((spec) => spec.default)))
      expect(new Set(starts).size).toBe(cells.length)
    }
  }
  for (const { transform, mitigation } of METHODS) {
    expect(TRANSFORMS).toContain(transform)
    expect(MITIGATIONS).toContain(mitigation)
  }
})

test('the options of the two halves of a method have different keys', () => {
  for (const { transform, mitigation } of METHODS) {
    const keys = [...transform.options, ...mitigation.options].map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
  }
})

test('a cell is found by the names of its halves too', () => {
  for (const [alias, id] of [
    ['quarot+rtn', 'quarot'],
    ['flatquant+round-to-nearest', 'flatquant'],
    ['identity+gptq', 'gptq'],
    ['identity+round-to-nearest', 'rtn'],
    ['identity', 'rtn'],
    ['quarot+gptq+low-rank', 'quarot+gptq+low-rank'],
  ]) {
    expect(methodById(alias).id).toBe(id)
  }
})

test('an unknown method is refused with the ids that exist', () => {
  expect(methodById('quarot').label).toBe('QuaRot')
  expect(methodById('quarot+gptq').label).toBe('QuaRot*')
  expect(() => methodById('adaround')).toThrow(
    `method: expected one of ${METHODS.map(({ id }) => id).join(', ')}, found "adaround".`,
  )
})
