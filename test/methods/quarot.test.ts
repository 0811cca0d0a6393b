import { describe, expect, test } from 'vitest'
import { identityMatrix } from '../../src/core/linear-algebra'
import { randomSigns } from '../../src/core/random'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { methodById } from '../../src/methods/registry'
import { goldenText, gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'
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
const fitted = (cols: number, options = {}, headDim: number | null = null) => {
  const matrices = { weight: gaussianMatrix(4, cols, 1), calibration: gaussianMatrix(4, cols, 2) }
  const config = { weight: null, activation: null }
  return transform.fit(fitInput(t, transform, { ...matrices, config, options, headDim }), fitContext(t, 7))
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

describe('in blocks', () => {
  test.each([
    ['32', 96],
    ['64', 320],
    ['128', 384],
  ])('of %s mixes only those, with the signs of the whole width', async (span, cols) => {
    const size = Number(span)
    const rotation = await fitted(cols, { span })
    await expectInvariance(t, rotation, gaussianMatrix(4, cols, 1), gaussianMatrix(3, cols, 30))
    const unit = { rows: 1, cols, data: new Float32Array(cols) }
    unit.data[size + 1] = 1
    const { data } = await readMatrix(t.gpu, rotation.apply(uploadMatrix(t.gpu, t.arena, unit, 'unit')))
    const sign = randomSigns(cols, 7)[size + 1]
    // Row 1 of a Sylvester matrix: + − + − …
    data.forEach((value, c) => {
      const inside = c >= size && c < 2 * size
      expect(value + 0).toBe(inside ? Math.fround(sign * (c % 2 ? -1 : 1) * Math.fround(size ** -0.5)) : 0)
    })
    expect(rotation.report).toEqual({
      notes: [`Sylvester matrix of order ${size} in each of ${cols / size} blocks, with random signs from seed 7.`],
      training: null,
      onlineOperations: cols * Math.log2(size),
      onlineBytes: cols / 8,
    })
  })

  test('without signs it is the block Hadamard rotation', async () => {
    const blocks = methodById('block-hadamard').transform
    const matrices = { weight: gaussianMatrix(4, 96, 1), calibration: gaussianMatrix(4, 96, 2) }
    const input = fitInput(t, blocks, { ...matrices, config: { weight: null, activation: null } })
    const expected = await blocks.fit(input, fitContext(t, 7))
    const found = await fitted(96, { span: '32', signs: 'off' })
    expect(await readMatrix(t.gpu, found.weight)).toEqual(await readMatrix(t.gpu, expected.weight))
    expect(found.report).toEqual(expected.report)
  })

  test('blocks that do not fill the channels are refused with both numbers', async () => {
    const refused = fitted(320, { span: '128' })
    await expect(refused).rejects.toMatchObject({ code: 'MD-08' })
    await expect(refused).rejects.toThrow('rotation of blocks of 128: expected a multiple of 128 channels, found 320.')
  })
})

describe('per attention head', () => {
  test.each([
    [64, 320, 64, ''],
    [256, 512, 256, ''],
    [null, 384, 128, ', assumed'],
    [null, 320, 64, ', assumed'],
  ])('of %s, %i channels turn in heads of %i', async (headDim, cols, size, origin) => {
    const rotation = await fitted(cols, { span: 'head' }, headDim)
    expect(rotation.report.notes[0]).toContain(`order ${size} in each of ${cols / size} blocks`)
    expect(rotation.report.notes[1]).toBe(`A block is one attention head of ${size} channels${origin}.`)
    await expectInvariance(t, rotation, gaussianMatrix(4, cols, 1), gaussianMatrix(3, cols, 30))
  })

  test.each([
    [96, 192, '96'],
    [128, 320, '128'],
    [null, 96, '96, assumed'],
  ])('a head of %s in %i channels is refused', async (headDim, cols, found) => {
    const refused = fitted(cols, { span: 'head' }, headDim)
    await expect(refused).rejects.toMatchObject({ code: 'MD-08' })
    await expect(refused).rejects.toThrow(
      `expected a head size that is a power of two and divides ${cols} channels, found ${found}.`,
    )
  })
})

describe('with a random orthogonal matrix', () => {
  test.each([
    [96, 'full', 96],
    [100, 'full', 100],
    [96, '32', 32],
    [128, 'head', 64],
  ])('%i channels, span %s: orthogonal in blocks of %i, and said', async (cols, span, size) => {
    const rotation = await fitted(cols, { matrix: 'orthogonal', span }, 64)
    await expectInvariance(t, rotation, gaussianMatrix(4, cols, 1), gaussianMatrix(3, cols, 30))
    const identity = { rows: cols, cols, data: Float32Array.from(identityMatrix(cols).data) }
    const { data } = await readMatrix(t.gpu, rotation.apply(uploadMatrix(t.gpu, t.arena, identity, 'identity')))
    for (let r = 0; r < cols; r++) {
      for (let s = 0; s <= r; s++) {
        let sum = 0
        for (let c = 0; c < cols; c++) sum += data[r * cols + c] * data[s * cols + c]
        expect(Math.abs(sum - (r === s ? 1 : 0))).toBeLessThan(size * 2 ** -23)
      }
      const outside = data
        .subarray(r * cols, (r + 1) * cols)
        .some((value, c) => value !== 0 && Math.floor(c / size) !== Math.floor(r / size))
      expect(outside).toBe(false)
    }
    // No Hadamard matrix: entries differ in magnitude.
    expect(new Set(data.subarray(0, size).map(Math.abs)).size).toBeGreaterThan(size / 2)
    const blocks = cols / size === 1 ? '.' : `, the same in each of ${cols / size} blocks.`
    expect(rotation.report.notes[0]).toBe(`Random orthogonal matrix of order ${size} from seed 7${blocks}`)
    expect(rotation.report).toMatchObject({ onlineOperations: cols * size, onlineBytes: 2 * size * size })
  })

  test('more than 2048 channels are refused, and a cancelled draw ends', async () => {
    const refused = fitted(2080, { matrix: 'orthogonal' })
    await expect(refused).rejects.toMatchObject({ code: 'MD-01' })
    await expect(refused).rejects.toThrow('random orthogonal matrix: expected at most 2048 channels, found 2080.')
    const controller = new AbortController()
    const layer = { weight: gaussianMatrix(1, 1024, 1), calibration: gaussianMatrix(1, 1024, 2) }
    const config = { weight: null, activation: null }
    const input = fitInput(t, transform, { ...layer, config, options: { matrix: 'orthogonal' } })
    const seen: number[] = []
    const onProgress = ({ done }: { done: number }) => {
      seen.push(done)
      if (done > 0) controller.abort()
    }
    const context = { ...fitContext(t, 7), signal: controller.signal, onProgress }
    await expect(transform.fit(input, context)).rejects.toThrow('aborted')
    expect(seen).toHaveLength(2)
    expect(seen[1]).toBeLessThan(100)
  })
})
