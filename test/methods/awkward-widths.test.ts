/** Widths of models that are no power of two: every transform of theirs runs and keeps the product. */
import { describe, expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { methodById } from '../../src/methods/registry'
import { gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const quantizer = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const config = { weight: quantizer, activation: quantizer }

/** Few rows: a width costs what it costs whatever the layer's height. */
const OUT = 3
const CALIBRATION_ROWS = 6

/** The notes of a fit that keeps X'W'ᵀ = XWᵀ for rows it has not seen. */
async function fitAt(cols: number, id: string, options: OptionValues): Promise<string> {
  const { transform } = methodById(id)
  const weight = gaussianMatrix(OUT, cols, 1)
  const calibration = gaussianMatrix(CALIBRATION_ROWS, cols, 2)
  const fitted = await transform.fit(fitInput(t, transform, { weight, calibration, config, options }), fitContext(t, 0))
  await expectInvariance(t, fitted, weight, gaussianMatrix(2, cols, 30))
  return fitted.report.notes.join(' ')
}

/** Channels and the Hadamard matrix docs/methods.md promises for them. */
const MATRICES: readonly (readonly [number, string])[] = [
  [320, '20 · 16'],
  [896, '28 · 32'],
  [2560, '20 · 128'],
  [11008, '172 · 64'],
  [14336, '28 · 512'],
]

describe.each(MATRICES)('%i channels', (cols, product) => {
  test('QuaRot and scale + Hadamard rotate all of them', async () => {
    const named = `Hadamard matrix of order ${cols} = ${product} `
    expect(await fitAt(cols, 'quarot', {})).toContain(named)
    expect(await fitAt(cols, 'scaled-hadamard', {})).toContain(named)
  })

  test('QuaRot, block Hadamard and scale + Hadamard rotate blocks of 32', async () => {
    const named = `Sylvester matrix of order 32 in each of ${cols / 32} blocks`
    expect(await fitAt(cols, 'quarot', { span: '32' })).toContain(named)
    expect(await fitAt(cols, 'block-hadamard', {})).toContain(named)
    expect(await fitAt(cols, 'scaled-hadamard', { rotation: 'block' })).toContain(named)
  })
})

describe.each([320, 2560])('%i channels, two steps', (cols) => {
  test.each(['flatquant', 'spinquant', 'block-affine'])('of %s', async (id) => {
    expect(await fitAt(cols, id, { steps: 2 })).toContain('2 steps over all calibration rows')
  })
})
