import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { completeOptions, type OptionValues } from '../../src/core/options'
import { optionsOf } from '../../src/experiment/catalog'
import type { Quantizer } from '../../src/formats/number-format'
import { sizeClass } from '../../src/gpu/buffer-pool'
import { readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { gatherHessian, type Hessian } from '../../src/methods/gptq/hessian'
import { quantizeWithGptq } from '../../src/methods/gptq/quantize-weight'
import type { FittedTransform, Mitigation } from '../../src/methods/method'
import { gptq } from '../../src/methods/mitigations/gptq'
import { methodById } from '../../src/methods/registry'
import { identity } from '../../src/methods/transforms/identity'
import { fitContext, fitInput } from '../support/fit'
import { correlatedRows, GPTQ_QUANTIZERS } from '../support/gptq'
import { gpuFixture } from '../support/gpu'
import { roundMatrix } from '../support/layer-codec'
import { gaussian } from '../support/matrices'

const t = gpuFixture()
const weight = gaussian(12, 96, 5)
const named = (wanted: string) => {
  const found = GPTQ_QUANTIZERS.find(([name]) => name === wanted)
  if (!found) throw new Error(`no quantizer "${wanted}"`)
  return found[1]
}
const mxfp4 = named('mxfp4')

interface Run {
  readonly mitigation?: Mitigation
  readonly rows: Matrix
  readonly quantizer?: Quantizer | null
  readonly options?: OptionValues
  readonly clip?: FittedTransform['clip']
  readonly from?: Matrix
}

/** Ŵ and the notes of a mitigation after no transform. */
async function run({ mitigation = gptq, rows, quantizer = mxfp4, options = {}, clip = null, from = weight }: Run) {
  const calibration = uploadMatrix(t.gpu, t.arena, rows, 'rows')
  const layer = { weight: uploadMatrix(t.gpu, t.arena, from, 'weight'), calibration, evaluation: calibration }
  const config = { weight: quantizer, activation: null }
  const input = {
    ...fitInput(t.gpu, t.arena, { layer, config, transform: identity }),
    options: completeOptions({ id: mitigation.id, code: 'MD-03' }, mitigation.options, options),
  }
  const context = fitContext(t.gpu, t.arena)
  const fitted = { ...(await identity.fit(input, context)), clip }
  const before = t.gpu.pool.liveBytes
  const result = await mitigation.quantizeWeight(fitted, input, context)
  const kept = t.gpu.pool.liveBytes - before
  return { values: (await readMatrix(t.gpu, result.weight)).data, notes: result.notes, kept, weight: result.weight }
}

const ENOUGH = correlatedRows(768, 96)

describe('notes', () => {
  test('enough rows and nothing unusual: none', async () => {
    expect((await run({ rows: ENOUGH })).notes).toEqual([])
  })

  test('a weight that stays as it is needs no rows', async () => {
    const { values, notes } = await run({ rows: ENOUGH, quantizer: null })
    expect(values).toEqual(weight.data)
    expect(notes).toEqual(['The weight stays in full precision: nothing to compensate.'])
  })

  test('fewer than eight rows per channel, and fewer rows than channels', async () => {
    expect((await run({ rows: correlatedRows(767, 96) })).notes).toEqual([
      '767 tokens for 96 channels: with fewer than 8 per channel the error on calibration rows is too good to ' +
        'trust; look at held-out rows.',
    ])
    expect((await run({ rows: correlatedRows(95, 96) })).notes).toEqual([
      '95 tokens for 96 channels: calibration error is not trustworthy.',
    ])
  })

  test('dead channels are counted', async () => {
    expect((await run({ rows: correlatedRows(800, 96, 24) })).notes).toEqual([
      '4 of 96 channels are zero in all calibration rows: their weights are rounded to nearest.',
    ])
  })

  test('without any live channel weights are rounded to nearest', async () => {
    const { values, notes } = await run({ rows: { rows: 3, cols: 96, data: new Float32Array(288) } })
    expect(values).toEqual(roundMatrix(weight, mxfp4).data)
    expect(notes).toEqual(['Every channel is zero in all calibration rows: weights are rounded to nearest.'])
  })

  test('a few large channels make the damping too large for the others', async () => {
    const data = Float32Array.from(gaussian(800, 96, 7).data, (value, i) => value * (i % 96 < 3 ? 300 : 1))
    // λ · mean / median ≈ 0.01 · (3 · 300² + 93) / 96 ≈ 28, so that λ ≈ 0.01 / 28 would make it 1.
    const { notes } = await run({ rows: { rows: 800, cols: 96, data } })
    expect(notes).toEqual([
      expect.stringMatching(
        /^Damping is 2\d times the Hessian's median diagonal, so most channels are hardly compensated: try 0\.000[34]\.$/,
      ),
    ])
    expect((await run({ rows: { rows: 800, cols: 96, data }, options: { damping: 3e-4 } })).notes).toEqual([])
  })

  test.each(['searched', 'observer'] as const)('%s scales stand back where no exponent is stored', async (scales) => {
    const options = { scales }
    const { values, notes } = await run({ rows: ENOUGH, quantizer: named('nvfp4'), options })
    expect(notes).toEqual([`Scales ${scales} need a power-of-two scale per block; static ones were used.`])
    const { values: expected } = await run({ rows: ENOUGH, quantizer: named('nvfp4'), options: { scales: 'static' } })
    expect(values).toEqual(expected)
  })

  test('a damping that had to be raised is named', async () => {
    // Two channels that agree more than any rows could make them: eigenvalue −0.05.
    const n = 96
    const gram = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0))
    gram[3 * n + 35] = 1.05
    gram[35 * n + 3] = 1.05
    const hessian: Hessian = {
      gram: uploadMatrix(t.gpu, t.arena, { rows: n, cols: n, data: gram }, 'gram'),
      tokens: 800,
      diagonal: new Float32Array(n).fill(1),
      deadChannels: 0,
      meanDiagonal: 1,
      medianDiagonal: 1,
    }
    const onGpu = uploadMatrix(t.gpu, t.arena, weight, 'weight')
    const request = { quantizer: mxfp4, scales: 'fresh', order: 'natural', damping: 0.01 } as const
    const result = await quantizeWithGptq(onGpu, async () => hessian, request, fitContext(t.gpu, t.arena))
    expect(result).toMatchObject({
      damping: 0.1,
      notes: ['Damping raised from 0.01 to 0.1: the Hessian was not positive definite before.'],
    })
  })
})

test('methods start from other scales and another order where their names say so', async () => {
  const defaultsOf = (id: string) => completeOptions({ id, code: 'MD-03' }, optionsOf(methodById(id)), {})
  expect(defaultsOf('gptq')).toMatchObject({ scales: 'fresh', order: 'natural' })
  expect(defaultsOf('quarot+gptq')).toMatchObject({ scales: 'fresh', order: 'natural' })
  expect(defaultsOf('gptq-best')).toMatchObject({ scales: 'searched', order: 'act-order' })
  expect(defaultsOf('gptq+low-rank')).toMatchObject({ scales: 'searched', order: 'act-order' })
  expect(defaultsOf('awq+gptq+low-rank')).toMatchObject({ scales: 'searched', order: 'act-order', clip: 'off' })
  expect(defaultsOf('mr-gptq')).toMatchObject({ scales: 'observer', order: 'act-order' })
})

test('searched and observed scales give weights of their own', async () => {
  const weightsOf = async (options: OptionValues) => (await run({ rows: ENOUGH, options })).values
  const [plain, searched, observed] = [
    await weightsOf({}),
    await weightsOf({ scales: 'searched', order: 'act-order' }),
    await weightsOf({ scales: 'observer', order: 'act-order' }),
  ]
  expect(searched).not.toEqual(plain)
  expect(observed).not.toEqual(plain)
  expect(observed).not.toEqual(searched)
})

test('act-order with fresh scales is refused with the reason', async () => {
  await expect(run({ rows: ENOUGH, options: { order: 'act-order' } })).rejects.toMatchObject({
    code: 'MD-06',
    message: expect.stringContaining('its scale has to be known before the first of them'),
  })
})

test('calibration rows whose squares leave f32 are refused with the channel', async () => {
  const data = Float32Array.from(ENOUGH.data, (value, i) => (i % 96 === 5 ? 1e25 : value))
  await expect(run({ rows: { ...ENOUGH, data } })).rejects.toMatchObject({
    code: 'MD-07',
    message: 'GPTQ: expected calibration rows whose squares fit f32, found a sum that is not finite at channel 5.',
  })
})

test("the transform's clip of the weight comes first", async () => {
  const bounds = uploadWords(t.gpu, t.arena, new Float32Array(24).fill(0.5), 'bounds')
  const data = weight.data.map((value, i) => {
    const row = weight.data.subarray(i - (i % 96), i - (i % 96) + 96)
    return Math.min(Math.max(value, 0.5 * Math.min(...row)), 0.5 * Math.max(...row))
  })
  const { values } = await run({
    rows: ENOUGH,
    clip: { activation: null, weight: bounds, activationBlocks: null, weightBlocks: null },
  })
  expect(values).toEqual((await run({ rows: ENOUGH, from: { ...weight, data } })).values)
  expect(values).not.toEqual((await run({ rows: ENOUGH })).values)
})

test('the Hessian is asked for once', async () => {
  let asked = 0
  const onGpu = uploadMatrix(t.gpu, t.arena, weight, 'weight')
  const context = fitContext(t.gpu, t.arena)
  const hessian = await gatherHessian(uploadMatrix(t.gpu, t.arena, ENOUGH, 'rows'), context)
  const hessianOf = async () => {
    asked += 1
    return hessian
  }
  await quantizeWithGptq(
    onGpu,
    hessianOf,
    { quantizer: mxfp4, scales: 'static', order: 'natural', damping: 0.01 },
    context,
  )
  expect(asked).toBe(1)
})

test('leaves nothing behind but the weight and its scales, and reports its way through the columns', async () => {
  const { kept, weight: result } = await run({ rows: ENOUGH })
  // Eight bytes for each of the three blocks of twelve rows, and a context nobody reads.
  expect(kept).toBe(result.buffer.size + sizeClass(8 * 3 * 12) + sizeClass(4))
  const seen: string[] = []
  const context = fitContext(t.gpu, t.arena, {
    onProgress: ({ stage, done, total }) => {
      if (done === total) seen.push(`${stage} ${total}`)
    },
  })
  const hessian = await gatherHessian(uploadMatrix(t.gpu, t.arena, ENOUGH, 'rows'), context)
  const onGpu = uploadMatrix(t.gpu, t.arena, weight, 'weight')
  const request = { quantizer: mxfp4, scales: 'fresh', order: 'natural', damping: 0.01 } as const
  await quantizeWithGptq(onGpu, async () => hessian, request, context)
  expect(seen.map((line) => line.replace(/factor .*/, 'factor'))).toEqual([
    'GPTQ statistics 768',
    'GPTQ factor',
    'GPTQ columns 96',
  ])
})

test('an aborted run stops between columns and keeps no memory', async () => {
  const rows = correlatedRows(40, 1024)
  const hessian = await gatherHessian(uploadMatrix(t.gpu, t.arena, rows, 'rows'), fitContext(t.gpu, t.arena))
  const onGpu = uploadMatrix(t.gpu, t.arena, gaussian(2400, 1024, 1), 'weight')
  const controller = new AbortController()
  let last = 0
  const context = fitContext(t.gpu, t.arena, {
    signal: controller.signal,
    onProgress: ({ stage, done }) => {
      if (stage !== 'GPTQ columns') return
      last = done
      controller.abort()
    },
  })
  const request = { quantizer: mxfp4, scales: 'static', order: 'natural', damping: 0.01 } as const
  const before = t.gpu.pool.liveBytes
  await expect(quantizeWithGptq(onGpu, async () => hessian, request, context)).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(last).toBeGreaterThan(0)
  // Hardware takes this weight in one submit.
  expect(last).toBeLessThan(t.gpu.adapter.isSoftware ? 1024 : 1025)
  // The target and the scales belong to the run's own arena.
  const scales = sizeClass(8 * 2400 * (1024 / 32)) + sizeClass(4)
  expect(t.gpu.pool.liveBytes - before).toBeLessThanOrEqual(onGpu.buffer.size + scales)
})
