import { expect, test } from 'vitest'
import { completeOptions } from '../../src/core/options'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix } from '../../src/gpu/transfer'
import { MITIGATIONS, TRANSFORMS } from '../../src/methods/registry'
import { gpuFixture } from '../support/gpu'
import { readChecked } from '../support/matrices'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()

const known = TRANSFORMS.filter(({ rotation }) => rotation !== undefined)

test('the transforms that need no layer, and the mitigations that take rows by themselves', () => {
  expect(known.map(({ id }) => id)).toEqual(['identity', 'quarot', 'block-hadamard'])
  expect(MITIGATIONS.filter(({ prepareRows }) => prepareRows).map(({ id }) => id)).toEqual(['round-to-nearest', 'gptq'])
})

const CASES = known.flatMap((transform) => {
  const varied = transform.options.flatMap(({ key, kind, ...spec }) =>
    kind === 'choice' && 'choices' in spec ? spec.choices.map((choice) => ({ [key]: choice })) : [],
  )
  return [{}, ...varied].map((options) => ({ transform, options: options as Record<string, string> }))
})

test.each(CASES)(
  '$transform.id $options: the rotation is what is fitted, to the bit',
  async ({ transform, options }) => {
    const { weight: quantizer, activation } = quantizersOf(parseSetting('W4A4'), STANDARD_MX)
    const config = { weight: quantizer, activation }
    const [weight, calibration] = [gaussianMatrix(9, 128, 1), gaussianMatrix(20, 128, 2)]
    const completed = completeOptions({ id: transform.id, code: 'MD-03' }, transform.options, options)
    const input = fitInput(t, transform, { weight, calibration, config, options: completed })
    const fitted = await transform.fit(input, fitContext(t, 5))
    const rotation = await transform.rotation?.(128, input, fitContext(t, 5))
    if (!rotation) throw new Error('no rotation')
    const rotate = (matrix: typeof weight) => {
      const rotated = rotation.rotate(t.recorder, t.arena, uploadMatrix(t.gpu, t.arena, matrix, 'matrix'))
      t.recorder.submit()
      return readChecked(t.gpu, rotated)
    }
    const values = async (matrix: typeof fitted.weight) => readChecked(t.gpu, matrix)
    expect(await rotate(weight)).toEqual(await values(fitted.weight))
    expect(await rotate(calibration)).toEqual(await values(fitted.apply(input.calibration)))
    const { notes, onlineOperations, onlineBytes } = fitted.report
    expect(rotation).toMatchObject({ notes, onlineOperations, onlineBytes })
  },
)
