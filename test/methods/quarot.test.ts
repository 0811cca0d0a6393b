import { expect, test } from 'vitest'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { readMatrix } from '../../src/gpu/transfer'
import { methodById } from '../../src/methods/registry'
import { goldenText, gpuFixture } from '../support/gpu'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

interface Recorded {
  readonly rtn: { readonly calib: number }
  readonly quarot: { readonly calib_seeds_0_4: readonly number[] }
}
const reference: { layers: Record<string, { results: Record<string, Recorded> }> } = JSON.parse(
  goldenText('reference-errors-transform.json'),
)

/** ‖X̂ Ŵᵀ − X Wᵀ‖ / ‖X Wᵀ‖ on the calibration rows, products in f32, sums in float64. */
async function outputError(method: string, layer: string, seed: number): Promise<number> {
  const tensors = readGolden(`layers/${layer}.safetensors`)
  const matrix = (name: string) => {
    const tensor = tensors.get(name)
    if (!tensor) throw new Error(`${layer}: no ${name}`)
    return { rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() }
  }
  const quantizer = makeQuantizer(parseFormat('mxfp4'), { ...STANDARD_MX, rounding: 'half-away' })
  const config = { weight: quantizer, activation: quantizer }
  const { transform, mitigation } = methodById(method)
  const input = fitInput(t, transform, { weight: matrix('layer.weight'), calibration: matrix('calib.input'), config })
  const context = fitContext(t, seed)
  const fitted = await transform.fit(input, context)
  const weight = await mitigation.quantizeWeight(fitted, input, context)
  const activations = fakeQuantize(t.recorder, t.arena, fitted.apply(input.calibration), quantizer)
  const output = matmulNt(t.recorder, t.arena, activations, weight.weight)
  t.recorder.submit()
  const [exact, found] = await Promise.all([readMatrix(t.gpu, input.reference), readMatrix(t.gpu, output)])
  let error = 0
  let size = 0
  exact.data.forEach((value, i) => {
    error += (found.data[i] - value) ** 2
    size += value ** 2
  })
  return Math.sqrt(error / size)
}

// The recorded errors have five digits; float32 against float64 rotations move a few codes at ties.
test.each(['layer-a', 'layer-r'])('%s W4A4: the recorded error of every sign seed, and of RTN', async (layer) => {
  const recorded = reference.layers[layer].results['mx:W4A4']
  expect(Math.abs((await outputError('rtn', layer, 0)) / recorded.rtn.calib - 1)).toBeLessThan(0.0005)
  for (const seed of [0, 1]) {
    const ratio = (await outputError('quarot', layer, seed)) / recorded.quarot.calib_seeds_0_4[seed]
    expect(Math.abs(ratio - 1)).toBeLessThan(0.002)
  }
})

const { transform } = methodById('quarot')
const fitted = (cols: number, options = {}) => {
  const matrices = { weight: gaussianMatrix(4, cols, 1), calibration: gaussianMatrix(4, cols, 2) }
  const config = { weight: null, activation: null }
  return transform.fit(fitInput(t, transform, { ...matrices, config, options }), fitContext(t, 7))
}

test('names the matrix, the seed and what it costs', async () => {
  expect((await fitted(320)).report).toEqual({
    notes: ['Hadamard matrix of order 320 = 20 · 16 (Paley I of order 20).', 'Random signs from seed 7.'],
    training: null,
    onlineOperations: 320 * (4 + 20),
    onlineBytes: 40,
  })
  const mixed = (await fitted(214)).report
  expect(mixed.notes[0]).toMatch(/^Mixed rotation for 214/)
  expect((await fitted(64)).report.onlineOperations).toBe(64 * 6)
})

test('without signs a common offset ends up in one channel, with signs it does not', async () => {
  const ones = { rows: 1, cols: 64, data: new Float32Array(64).fill(1) }
  const rotated = async (signs: string) => {
    const rotation = await fitted(64, { signs })
    const input = fitInput(t, transform, {
      weight: ones,
      calibration: ones,
      config: { weight: null, activation: null },
    })
    return (await readMatrix(t.gpu, rotation.apply(input.calibration))).data
  }
  const plain = await rotated('off')
  expect(plain[0]).toBe(8)
  expect(plain.subarray(1).every((value) => value === 0)).toBe(true)
  expect(Math.max(...(await rotated('on')).map(Math.abs))).toBeLessThan(4)
})

test('a width without a matrix is refused', async () => {
  await expect(fitted(4106)).rejects.toThrow('rotation of 4106 channels')
})
