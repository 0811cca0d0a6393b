import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { completeOptions, type OptionValues } from '../../src/core/options'
import { parseFormat } from '../../src/formats/format-text'
import type { QuantConfig } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { uploadMatrix } from '../../src/gpu/transfer'
import { LOW_RANK_OPTIONS } from '../../src/methods/low-rank/options'
import type { FittedTransform } from '../../src/methods/method'
import { withLowRank } from '../../src/methods/mitigations/low-rank'
import { roundToNearest } from '../../src/methods/mitigations/round-to-nearest'
import {
  difference,
  energy,
  energyLeft,
  productNt,
  rowsOf,
  smallestEnergy,
  transposed,
  weightingRows,
} from '../oracle/low-rank'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { gaussian, readChecked } from '../support/matrices'
import { mixedActivations } from '../support/mixed-activations'

const t = gpuFixture()

const mxfp4 = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const lowRank = withLowRank(roundToNearest, { id: 'low-rank', label: 'Low-rank correction' })

const upload = (matrix: Matrix) => uploadMatrix(t.gpu, t.arena, matrix, 'operand')
const read = async (matrix: GpuMatrix): Promise<Matrix> => ({
  rows: matrix.rows,
  cols: matrix.cols,
  data: await readChecked(t.gpu, matrix),
})

describe('low-rank mitigation', () => {
  const [weight, x] = [gaussian(64, 96, 1), mixedActivations(200, 96, 2)]

  function run(given: OptionValues, config: QuantConfig = { weight: mxfp4, activation: mxfp4 }) {
    return runOn({ weight: upload(weight), calibration: upload(x) }, given, config)
  }

  function runOn(
    layer: { weight: GpuMatrix; calibration: GpuMatrix },
    given: OptionValues,
    config: QuantConfig,
    apply: FittedTransform['apply'] = (rows) => rows,
  ) {
    const options = completeOptions({ id: 'low-rank', code: 'MD-03' }, LOW_RANK_OPTIONS, given)
    const transformed: FittedTransform = {
      weight: layer.weight,
      apply,
      online: [],
      clip: null,
      report: { notes: [], training: null, onlineOperations: 0, onlineBytes: 0 },
    }
    const input = { ...layer, reference: layer.calibration, config, options, headDim: null }
    return lowRank.quantizeWeight(transformed, input, fitContext(t.gpu, t.arena))
  }

  async function round(matrix: Matrix): Promise<Float32Array> {
    const rounded = fakeQuantize(t.recorder, t.arena, upload(matrix), mxfp4)
    t.recorder.submit()
    return readChecked(t.gpu, rounded)
  }

  test('error-first corrects what the base mitigation leaves of the weight', async () => {
    const { weight: quantized, correction, notes } = await run({ rank: 6 })
    if (!correction) throw new Error('no correction')
    const representable = await readChecked(t.gpu, quantized)
    expect(representable).toEqual(await round(weight))
    const e = difference(rowsOf(weight), rowsOf({ ...weight, data: representable }))
    const factors = { left: rowsOf(await read(correction.left)), right: rowsOf(await read(correction.right)) }
    const smallest = smallestEnergy(rowsOf(x), e, 6)
    expect(energyLeft(rowsOf(x), e, factors) / smallest).toBeLessThan(1.001 ** 2)
    expect(notes.join(' ')).toContain('rank 6 in BF16, 2.50 bits per weight and 960 multiply-adds per token more')
    expect(notes.join(' ')).toContain('200 calibration tokens for 96 channels')
  })

  test('counts errors on the transformed calibration rows', async () => {
    const turned = mixedActivations(150, 96, 8)
    const config = { weight: mxfp4, activation: mxfp4 }
    const layer = { weight: upload(weight), calibration: upload(x) }
    const result = await runOn(layer, { rank: 6 }, config, () => upload(turned))
    if (!result.correction) throw new Error('no correction')
    const e = difference(rowsOf(weight), rowsOf({ ...weight, data: await readChecked(t.gpu, result.weight) }))
    const factors = {
      left: rowsOf(await read(result.correction.left)),
      right: rowsOf(await read(result.correction.right)),
    }
    const smallest = smallestEnergy(rowsOf(turned), e, 6)
    expect(energyLeft(rowsOf(turned), e, factors) / smallest).toBeLessThan(1.001 ** 2)
  })

  test('weight-first rounds what the branch leaves of the weight, its own rounding included', async () => {
    const { weight: quantized, correction } = await run({ rank: 6, branch: 'weight-first', weighting: 'plain' })
    if (!correction) throw new Error('no correction')
    const [left, right] = [rowsOf(await read(correction.left)), rowsOf(await read(correction.right))]
    const smallest = smallestEnergy(weightingRows('plain', rowsOf(x)), rowsOf(weight), 6)
    const rest = difference(rowsOf(weight), productNt(right, transposed(left)))
    expect(energy(rest) / smallest).toBeLessThan(1.001 ** 2)
    const found = await readChecked(t.gpu, quantized)
    const expected = await round({ ...weight, data: Float32Array.from(rest.flatMap((row) => [...row])) })
    // The rest differs from ours by f32 rounding, which moves a code only beside a boundary.
    expect(found.filter((value, i) => value !== expected[i]).length).toBeLessThanOrEqual(2)
  })

  test('the branch takes the input that was asked for', async () => {
    expect((await run({ rank: 2 })).correction?.input).toBe('full')
    expect((await run({ rank: 2, branchInput: 'quantized' })).correction?.input).toBe('quantized')
  })

  test('rank 0, or weights that are not rounded, is the base mitigation alone', async () => {
    for (const branch of ['error-first', 'weight-first']) {
      const none = await run({ rank: 0, branch })
      expect(none.correction).toBeNull()
      expect(await readChecked(t.gpu, none.weight)).toEqual(await round(weight))
      const untouched = await runOn(
        { weight: upload(weight), calibration: upload(x) },
        { branch },
        {
          weight: null,
          activation: mxfp4,
        },
      )
      expect(untouched.correction).toBeNull()
      expect(await readChecked(t.gpu, untouched.weight)).toEqual(weight.data)
    }
  })

  test('says when there is no error to correct, and when the rank is more than there is', async () => {
    const exact = { ...weight, data: weight.data.map(Math.sign) }
    const none = await runOn({ weight: upload(exact), calibration: upload(x) }, {}, { weight: mxfp4, activation: null })
    expect(none.correction).toBeNull()
    expect(none.notes).toEqual(['Low-rank branch: there is no error to correct.'])
    const full = await run({ rank: 200 })
    expect(full.notes[0]).toContain('rank 64 (all there is; 200 asked for)')
  })

  test('has the options of its base and its own', () => {
    const option = { ...LOW_RANK_OPTIONS[0], key: 'damping' }
    const both = withLowRank({ ...roundToNearest, options: [option] }, { id: 'both', label: 'Both' })
    expect(both.options).toEqual([option, ...LOW_RANK_OPTIONS])
  })
})
