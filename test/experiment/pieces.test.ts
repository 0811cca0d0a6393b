import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { type LayerSources, loadLayer } from '../../src/experiment/load-layer'
import { fitsWhole, type PieceWork, planPieces } from '../../src/experiment/pieces'
import type { ComparisonRequest } from '../../src/experiment/request'
import type { MethodOutcome, MethodResult } from '../../src/experiment/result'
import { type ComparisonEvent, runComparison } from '../../src/experiment/run-comparison'
import { compareAny, loadAny } from '../../src/experiment/run-pieces'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { Arena } from '../../src/gpu/arena'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import type { Gpu } from '../../src/gpu/device'
import { blobSource } from '../../src/io/byte-source'
import { readHeader } from '../../src/io/read-header'
import { DEFAULT_SYNTHETIC } from '../../src/io/synthetic'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { methodById } from '../../src/methods/registry'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** The same device with a pool whose buffers are at most `maxBytes`. */
const limited = (maxBytes: number): Gpu => ({ ...t.gpu, pool: createBufferPool(t.gpu.device, { maxBytes }) })

async function sourcesOf(layer: string, changes: Partial<LayerSources> = {}): Promise<LayerSources> {
  const source = blobSource(
    'layer.safetensors',
    new Blob([readFileSync(new URL(`../golden/layers/${layer}.safetensors`, import.meta.url))]),
  )
  const { tensors } = await readHeader(source)
  const at = (name: string) => {
    const tensor = tensors.find((candidate) => candidate.name === name)
    if (!tensor) throw new Error(name)
    return { source, tensor }
  }
  return {
    weight: at('layer.weight'),
    activations: { kind: 'captured', calibration: at('calib.input'), evaluation: at('eval.input') },
    heldOutShare: 0.5,
    firstToken: 0,
    tokens: null,
    tensors,
    ...changes,
  }
}

type Choice = readonly [id: string, options?: Readonly<Record<string, string | number>>]

function requestOf(setting: string, methods: readonly Choice[]): ComparisonRequest {
  return {
    ...STANDARD_MX,
    settings: [parseSetting(setting)],
    methods: methods.map(([id, options]) => ({ id, options: options ?? {} })),
    seed: 3,
    headDim: null,
    scaleAnalysis: false,
  }
}

const signal = new AbortController().signal

async function whole(sources: LayerSources, request: ComparisonRequest): Promise<MethodOutcome[]> {
  const layer = await loadLayer(sources, { gpu: t.gpu, arena: t.arena, signal })
  const outcomes: MethodOutcome[] = []
  await runComparison(layer, request, { gpu: t.gpu, signal, now: () => 0 }, (event) => {
    if (event.kind === 'outcome') outcomes.push(event.outcome)
  })
  return outcomes
}

/** A run within `maxBytes`; every byte comes back. */
async function inPieces(sources: LayerSources, request: ComparisonRequest, maxBytes: number) {
  const gpu = limited(maxBytes)
  const arena = new Arena(gpu)
  const events: ComparisonEvent[] = []
  try {
    const layer = await loadAny(sources, request, { gpu, arena, signal })
    await compareAny(layer, request, { gpu, signal, now: () => 0 }, (event) => events.push(event))
  } finally {
    arena.release()
    expect(gpu.pool.liveBytes).toBe(0)
    gpu.pool.trim()
  }
  const plan = events.flatMap((event) => (event.kind === 'plan' && event.plan.pieces ? [event.plan.pieces] : []))[0]
  const outcomes = events.flatMap((event) => (event.kind === 'outcome' ? [event.outcome] : []))
  const methods = events.flatMap((event) => (event.kind === 'plan' ? event.plan.methods : []))
  return { plan, methods, outcomes, pool: gpu.pool, kinds: events.map(({ kind }) => kind) }
}

function resultOf(outcome: MethodOutcome): MethodResult {
  if (outcome.kind === 'result') return outcome
  throw new Error(`${outcome.method}: ${outcome.error.message}`)
}

/** Numbers a result is made of agree to `tolerance`; what is exact in pieces is equal. */
function expectSame(inPart: MethodOutcome, inWhole: MethodOutcome, tolerance: number): void {
  const [found, expected] = [resultOf(inPart), resultOf(inWhole)]
  for (const rows of ['calibration', 'evaluation'] as const) {
    for (const key of ['outputRelativeError', 'gain', 'cosine', 'maxAbsoluteError'] as const) {
      expect(Math.abs(found[rows][key] / expected[rows][key] - 1), `${rows} ${key}`).toBeLessThan(tolerance)
    }
    expect(found[rows].tokens).toBe(expected[rows].tokens)
  }
  expect(found.notes).toEqual(expected.notes)
  expect(found.bitsPerElement).toBe(expected.bitsPerElement)
  expect(found.onlineOperations).toBe(expected.onlineOperations)
  expect(found.onlineBytes).toBe(expected.onlineBytes)
  expect(found.activation).toEqual(
    expected.activation && { ...expected.activation, sqnrDb: expect.closeTo(expected.activation.sqnrDb, 4) },
  )
  const isRounded = tolerance === SUMS
  if (isRounded && expected.weight) {
    expect(found.weight).toEqual({ ...expected.weight, sqnrDb: expect.closeTo(expected.weight.sqnrDb, 4) })
  }
  expect(found.profile.histogram).toEqual(expected.profile.histogram)
  expect(found.profile.map).toEqual(expected.profile.map)
  expect(found.profile.channelMax).toEqual(expected.profile.channelMax)
  expect(found.profile.maxAbsolute).toBe(expected.profile.maxAbsolute)
  expect(found.profile.count).toBe(expected.profile.count)
  expect(Math.abs(found.profile.kurtosis / expected.profile.kurtosis - 1)).toBeLessThan(1e-5)
  for (const [channel, rms] of found.profile.channelRms.entries()) {
    expect(Math.abs(rms - expected.profile.channelRms[channel])).toBeLessThanOrEqual(1e-5 * rms)
  }
}

/** Layer r: [320, 896] with 768 and 384 tokens; 1.1 MB, 2.8 MB and 1.4 MB in f32, a Gram matrix of 3.2 MB. */
const LAYER = 'layer-r'

// Products are the same kernels on the same operands, and error sums are added in other groups: 2^-20 of the sums.
const SUMS = 4e-6

describe('layer r within 1 MB a buffer or less', () => {
  test.each([
    ['W4A4', 1e6, ['rtn', 'quarot', 'block-hadamard']],
    ['nvfp4/int8', 5e5, ['rtn', 'quarot']],
  ] as const)('under %s at %d bytes %j give the numbers of the whole', async (setting, limit, methods) => {
    const request = requestOf(
      setting,
      methods.map((id) => [id]),
    )
    const sources = await sourcesOf(LAYER, { tokens: 360 })
    const expected = await whole(sources, request)
    const { outcomes, plan, pool, kinds } = await inPieces(sources, request, limit)
    expect(kinds[0]).toBe('plan')
    expect(plan.weightPieces).toBeGreaterThan(1)
    expect(plan.tokenPieces).toBeGreaterThan(2)
    expect(pool.largestBytes).toBeLessThanOrEqual(plan.largestBytes)
    expect(plan.largestBytes).toBeLessThanOrEqual(limit)
    expect(pool.peakBytes).toBeLessThanOrEqual(plan.peakBytes)
    expect(pool.peakBytes).toBeGreaterThan(plan.peakBytes / 3)
    for (const [index, outcome] of outcomes.entries()) expectSame(outcome, expected[index], SUMS)
  })

  test.each([
    ['fresh', 'natural', 'W4A4'],
    ['searched', 'act-order', 'W4A16'],
    ['static', 'group-order', 'nvfp4/16'],
  ] as const)('GPTQ with %s scales in %s under %s is within 1e-4', async (scales, order, setting) => {
    const request = requestOf(setting, [['gptq', { scales, order }]])
    const sources = await sourcesOf(LAYER, { tokens: 500 })
    const [expected] = await whole(sources, request)
    const { outcomes, pool, plan } = await inPieces(sources, request, 1e6)
    expect(pool.largestBytes).toBeLessThanOrEqual(1e6)
    expect(pool.peakBytes).toBeLessThanOrEqual(plan.peakBytes)
    expectSame(outcomes[0], expected, 1e-4)
  })

  test('GPTQ after a rotation, with slabs and pieces that do not come out even', async () => {
    const request = requestOf('W4A4', [['quarot+gptq']])
    const sources = await sourcesOf(LAYER, { tokens: 150 })
    const expected = await whole(sources, request)
    const { outcomes } = await inPieces(sources, request, 6e5)
    // With fewer rows than channels f32 pivots are as small as the damping: some codes turn against those of the float64 factor.
    expectSame(outcomes[0], expected[0], 1e-3)
  })
})

/** A layer [out 640, in 200] with 700 rows; the weight is stored as [in, out]. */
async function turnedSources(changes: Partial<LayerSources> = {}): Promise<LayerSources> {
  const values = (rows: number, cols: number, seed: number) => {
    const random = createRandom(seed)
    return new Uint8Array(Float32Array.from({ length: rows * cols }, (_, i) => random.normal() * (1 + (i % 7))).buffer)
  }
  const file = writeSafetensors([
    { name: 'w', dtype: 'F32', shape: [200, 640], bytes: values(200, 640, 1) },
    { name: 'x', dtype: 'F32', shape: [700, 200], bytes: values(700, 200, 2) },
  ])
  const source = blobSource('turned.safetensors', new Blob([file]))
  const { tensors } = await readHeader(source)
  const [w, x] = ['w', 'x'].map((name) => ({ source, tensor: tensors.filter((one) => one.name === name)[0] }))
  return {
    weight: w,
    activations: { kind: 'captured', calibration: x, evaluation: null },
    ...{ heldOutShare: 0.3, firstToken: 5, tokens: null, tensors },
    ...changes,
  }
}

test('a turned weight, rows split by share, and an output quantized per head', async () => {
  const request = { ...requestOf('W4A8KV4', [['rtn'], ['gptq']]), headDim: 160 }
  const sources = await turnedSources()
  const expected = await whole(sources, request)
  const { outcomes, plan } = await inPieces(sources, request, 4e5)
  expect(plan).toMatchObject({ weightRows: 320, weightPieces: 2 })
  expect(plan.tokenPieces).toBeGreaterThan(1)
  for (const [index, outcome] of outcomes.entries()) expectSame(outcome, expected[index], index === 0 ? SUMS : 1e-4)
})

test('synthetic rows, the same ones for both, are the generated ones', async () => {
  const spec = { ...DEFAULT_SYNTHETIC, tokens: 900, seed: 4 }
  const sources = await turnedSources({
    activations: { kind: 'synthetic', spec, gain: null },
    heldOutShare: 0,
    firstToken: 0,
  })
  const fitting = { ...sources, weight: { ...sources.weight } }
  const request = requestOf('W4A4', [['rtn']])
  const [expected] = await whole(fitting, request)
  const { outcomes } = await inPieces(fitting, request, 4e5)
  expectSame(outcomes[0], expected, SUMS)
})

test('a layer that fits whole, with a Gram matrix that does not, runs GPTQ in slabs and all methods', async () => {
  const sources = await sourcesOf(LAYER, { tokens: 400 })
  const narrow = { ...sources.weight.tensor, shape: [64, 896], byteLength: 64 * 896 * 2 }
  const small = { ...sources, weight: { ...sources.weight, tensor: narrow } }
  const request = requestOf('W4A16', [['gptq'], ['smoothquant+gptq']])
  const expected = await whole(small, request)
  const { outcomes, plan, pool } = await inPieces(small, request, 1.5e6)
  expect(plan).toBeUndefined()
  expect(pool.largestBytes).toBeLessThanOrEqual(1.5e6)
  for (const [index, outcome] of outcomes.entries()) expectSame(outcome, expected[index], 1e-3)
})

describe('the least that pieces need', () => {
  test.each([120_000, 106_000])('192 channels run in pieces within %d bytes', async (limit) => {
    const sources = await narrowSources()
    const request = requestOf('nvfp4/int8', [['rtn'], ['quarot'], ['gptq']])
    const expected = await whole(sources, request)
    const { outcomes, plan, pool } = await inPieces(sources, request, limit)
    expect(pool.largestBytes).toBeLessThanOrEqual(plan.largestBytes)
    expect(plan.largestBytes).toBeLessThanOrEqual(limit)
    expect(pool.peakBytes).toBeLessThanOrEqual(plan.peakBytes)
    for (const [index, outcome] of outcomes.entries()) expectSame(outcome, expected[index], index < 2 ? SUMS : 1e-3)
  })

  test('a profile beyond the limit says how many tokens fit, and they do', async () => {
    const sources = await narrowSources()
    const request = requestOf('W4A4', [['rtn']])
    const run = inPieces(sources, request, 70_000)
    await expect(run).rejects.toThrow(/^the profile of 200 tokens of 192 channels needs 102\d+ bytes in one buffer/)
    const message = await run.catch((error: Error) => error.message)
    const tokens = Number(/Use (\d+) of 400 tokens\.$/.exec(String(message))?.[1])
    const { outcomes } = await inPieces({ ...sources, tokens }, request, 70_000)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['result'])
    await expect(inPieces({ ...sources, tokens: tokens + 2 }, request, 70_000)).rejects.toThrow(/^the profile of/)
  })
})

/** A layer [192, 192] with 400 rows, half of them held out. */
async function narrowSources(): Promise<LayerSources> {
  const random = createRandom(5)
  const file = writeSafetensors(
    (['w', 'x'] as const).map((name) => {
      const rows = name === 'w' ? 192 : 400
      const values = Float32Array.from({ length: rows * 192 }, () => random.normal())
      return { name, dtype: 'F32', shape: [rows, 192], bytes: new Uint8Array(values.buffer) }
    }),
  )
  const source = blobSource('narrow.safetensors', new Blob([file]))
  const { tensors } = await readHeader(source)
  const [w, x] = ['w', 'x'].map((name) => ({ source, tensor: tensors.filter((one) => one.name === name)[0] }))
  return {
    weight: w,
    activations: { kind: 'captured', calibration: x, evaluation: null },
    ...{ heldOutShare: 0.5, firstToken: 0, tokens: null, tensors },
  }
}

describe('what cannot be done in pieces says the numbers', () => {
  test('a method that needs the layer whole fails without work, and the others go on', async () => {
    const sources = await turnedSources()
    const { outcomes } = await inPieces(sources, requestOf('W4A4', [['awq'], ['rtn'], ['low-rank']]), 4e5)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failure', 'result', 'failure'])
    expect(outcomes[0]).toMatchObject({
      error: {
        kind: 'unsupported',
        code: 'GP-06',
        message:
          'awq: needs the layer whole, and its output takes 1244160 bytes in one buffer where 400000 bytes are allowed. ' +
          'Leave it out: no number of tokens makes the layer fit whole.',
      },
    })
  })

  test('a method whose Hessian is too large fails, and the others go on', async () => {
    const run = await inPieces(await sourcesOf(LAYER, { tokens: 60 }), requestOf('W4A4', [['gptq'], ['rtn']]), 400_000)
    expect(run.outcomes.map((one) => (one.kind === 'failure' ? one.error.code : one.kind))).toEqual(['GP-02', 'result'])
  })

  test('the plan names what will fail before the first method', async () => {
    const sources = await turnedSources()
    const { methods } = await inPieces(sources, requestOf('W4A4', [['rtn'], ['awq']]), 4e5)
    expect(methods.map(({ refusal }) => refusal)).toEqual([undefined, expect.stringMatching(/^awq: needs the layer/)])
    expect(methods[1].bytes).toBe(0)
  })

  test.each([
    ['a share of the rows held out', null, 0.3],
    ['the same rows', null, 0],
    ['rows of two tensors', 'eval', 0],
  ] as const)('with %s the tokens that are advised fit, and one more does not', async (_, evaluation, heldOutShare) => {
    const turned = await turnedSources({ heldOutShare, firstToken: 0 })
    const { activations } = turned
    if (activations.kind !== 'captured') throw new Error('expected captured rows')
    const rows = { ...activations, evaluation: evaluation && activations.calibration }
    const sources = { ...turned, activations: rows }
    const request = requestOf('W4A4', [['smoothquant']])
    const limit = 600_000
    const message = await inPieces(sources, request, limit).then(
      () => '',
      (error: Error) => error.message,
    )
    const tokens = Number(/Use (\d+) of 700 tokens\.$/.exec(message)?.[1])
    const followed = await inPieces({ ...sources, tokens }, request, limit)
    expect(followed.outcomes.map(({ kind }) => kind)).toEqual(['result'])
    await expect(inPieces({ ...sources, tokens: tokens + 1 }, request, limit)).rejects.toMatchObject({ code: 'GP-06' })
  })

  test('where none of the methods can, nothing is read', async () => {
    const sources = await turnedSources()
    const unread = { name: 'f', byteLength: 1e9, slice: () => Promise.reject(new Error('was read')) }
    const weight = { ...sources.weight, source: unread }
    const run = inPieces({ ...sources, weight }, requestOf('W4A4', [['smoothquant'], ['awq+gptq']]), 4e5)
    await expect(run).rejects.toMatchObject({ code: 'GP-06' })
  })

  test.each([
    [
      3000,
      'rtn',
      'a layer of 896 channels in pieces of one row needs 3584 bytes in one buffer where 3000 bytes are allowed.',
    ],
    [
      400_000,
      'gptq',
      'GPTQ of 896 channels, whose Hessian takes 3.1 MiB, in pieces needs 458752 bytes in one buffer where 400000 bytes',
    ],
  ])('%d bytes are too few for %s', async (limit, method, message) => {
    const run = inPieces(await sourcesOf(LAYER), requestOf('W4A4', [[method]]), limit)
    await expect(run).rejects.toThrow(message)
    await expect(run).rejects.toMatchObject({ code: 'GP-02' })
  })
})

describe('planPieces', () => {
  const LIMIT = 128 * 2 ** 20
  const LIMITS = { limitBytes: LIMIT, scale: null }
  const work = (method: string, setting: string): PieceWork => ({
    method: methodById(method),
    quantizers: quantizersOf(parseSetting(setting), STANDARD_MX),
    headDim: null,
  })
  const shape = { outDim: 4096, inDim: 14336, calibrationTokens: 2048, evaluationTokens: 2048, sameRows: true }

  test('cuts 4096 x 14336 with 2048 tokens into two pieces of the weight within 128 MiB', () => {
    const plan = planPieces(shape, [work('rtn', 'W4A4')], LIMITS)
    expect(plan).toMatchObject({ weightRows: 2048, weightPieces: 2, tokenRows: 2048, tokenPieces: 1 })
    expect(plan.largestBytes).toBe(4 * 2048 * 14336)
  })

  test('with GPTQ the Hessian comes in slabs, and the peak says so', () => {
    const [plain, compensated] = ['rtn', 'gptq'].map((id) => planPieces(shape, [work(id, 'W4A4')], LIMITS))
    expect(compensated.largestBytes).toBe(plain.largestBytes)
    expect(compensated.peakBytes - plain.peakBytes).toBeGreaterThan(4 * 14336 ** 2)
    // The weight stays as loaded: nothing to compensate.
    expect(planPieces(shape, [work('gptq', '16/mxfp4')], LIMITS)).toEqual(plain)
  })

  test('no piece ends inside a head, whatever heads the settings have', () => {
    const wide = { ...shape, outDim: 15360, inDim: 4096 }
    const heads = [480, 640].map((headDim) => ({ ...work('rtn', 'W4A4KV4'), headDim }))
    const narrow = { ...LIMITS, limitBytes: 0.75 * LIMIT }
    expect(planPieces(wide, heads.slice(0, 0), narrow).weightRows).toBe(5120)
    expect(planPieces(wide, heads, narrow).weightRows).toBe(5760)
  })

  test('a layer that fits is not cut', () => {
    expect(fitsWhole({ ...shape, outDim: 2048 }, LIMIT)).toBe(true)
    expect(fitsWhole(shape, LIMIT)).toBe(false)
    expect(fitsWhole({ ...shape, outDim: 16, evaluationTokens: 2400 }, LIMIT)).toBe(false)
    expect(
      fitsWhole({ outDim: 30000, inDim: 32, calibrationTokens: 2048, evaluationTokens: 8, sameRows: false }, LIMIT),
    ).toBe(false)
  })
})
