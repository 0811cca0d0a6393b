import { afterAll, beforeAll, expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import type { ComparisonRequest } from '../../src/experiment/request'
import type { MethodOutcome, MethodResult } from '../../src/experiment/result'
import {
  type ComparisonEvent,
  type ComparisonLayer,
  checkRequest,
  runComparison,
} from '../../src/experiment/run-comparison'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import { FORMATS } from '../../src/formats/registry'
import { uploadMatrix } from '../../src/gpu/transfer'
import type { FitInput, Method } from '../../src/methods/method'
import { METHODS, methodById } from '../../src/methods/registry'
import { rtnErrors } from '../oracle/rtn'
import { gpuFixture } from '../support/gpu'
import { exactProduct, relativeError, roundMatrix } from '../support/layer-codec'

/** What the probe method below was fitted on. */
const fittedOn: FitInput[] = []

/** A method that rounds as RTN does after a `fit` of its own. */
function variant(id: string, fit: Method['transform']['fit']): Method {
  return { ...rtn, id, transform: { ...rtn.transform, id, fit } }
}

const rtn = methodById('rtn')

// Three methods that only a test needs: one that refuses, one that breaks a rule of the device, one that looks around.
const added = [
  variant('refusing', async () => {
    throw new InputError('MD-01', 'refusing: expected something else, found 70.')
  }),
  variant('careless', async (input, context) => {
    context.gpu.device.createBuffer({ size: 3, usage: 0, mappedAtCreation: false })
    return rtn.transform.fit(input, context)
  }),
  variant('probe', async (input, context) => {
    fittedOn.push(input)
    context.arena.buffer(1000, 'left behind')
    context.onProgress({ stage: 'looking', done: 1, total: 2 })
    return rtn.transform.fit(input, context)
  }),
]

// The registry is shared with the other files of the process, so they leave it with this one.
const registered = METHODS as Method[]
beforeAll(() => {
  registered.push(...added)
})
afterAll(() => {
  registered.splice(-added.length)
})

const t = gpuFixture()

function randomMatrix(rows: number, cols: number, seed: number): Matrix {
  const random = createRandom(seed)
  // Channels of different size, so that blocks have something to do.
  const data = Float32Array.from({ length: rows * cols }, (_, i) => random.normal() * (1 + (i % cols) / 8))
  return { rows, cols, data }
}

const matrices = {
  weight: randomMatrix(24, 70, 1),
  calibration: randomMatrix(33, 70, 2),
  evaluation: randomMatrix(20, 70, 3),
}

function uploadLayer(): ComparisonLayer {
  return {
    weight: uploadMatrix(t.gpu, t.arena, matrices.weight, 'weight'),
    calibration: uploadMatrix(t.gpu, t.arena, matrices.calibration, 'calibration'),
    evaluation: uploadMatrix(t.gpu, t.arena, matrices.evaluation, 'evaluation'),
    weightBits: 16,
    name: 'self_attn.k_proj.weight',
  }
}

function requestOf(settings: readonly string[], methods: readonly string[]): ComparisonRequest {
  return {
    settings: settings.map(parseSetting),
    methods: methods.map((id) => ({ id, options: {} })),
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: { factor: 0.75, variant: 'exact' },
    blockSize: 32,
    seed: 7,
    headDim: null,
    scaleAnalysis: false,
  }
}

async function collect(layer: ComparisonLayer, request: ComparisonRequest): Promise<ComparisonEvent[]> {
  const events: ComparisonEvent[] = []
  let clock = 0
  const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => (clock += 5) }
  await runComparison(layer, request, context, (event) => events.push(event))
  return events
}

const outcomesOf = (events: readonly ComparisonEvent[]): MethodOutcome[] =>
  events.flatMap((event) => (event.kind === 'outcome' ? [event.outcome] : []))

function resultIn(outcomes: readonly MethodOutcome[], setting: string, method: string): MethodResult {
  const outcome = outcomes.find((candidate) => candidate.setting === setting && candidate.method === method)
  if (outcome?.kind !== 'result') throw new Error(`no result for ${setting} ${method}: ${JSON.stringify(outcome)}`)
  return outcome
}

test('RTN agrees with a float64 oracle on both sets of rows, under every setting', async () => {
  const settings = ['W4A4', 'W8A8', 'W4A8', 'W4A16', '16/mxfp4']
  const outcomes = outcomesOf(await collect(uploadLayer(), requestOf(settings, ['rtn'])))
  for (const setting of settings) {
    const result = resultIn(outcomes, setting, 'rtn')
    for (const rows of ['calibration', 'evaluation'] as const) {
      const oracle = rtnErrors(matrices.weight, matrices[rows], { ...result, rounding: 'half-even' })
      // Both f32 products are within (k + 2) eps Σ|x||w| of theirs; the oracle says how much of the error that is.
      const bound = 2 * (70 + 2) * 2 ** -23 * oracle.sensitivity + 1e-6
      const errors = result[rows]
      expect(Math.abs(errors.outputRelativeError / oracle.relativeError - 1)).toBeLessThan(bound)
      expect(Math.abs(errors.outputSqnrDb + 20 * Math.log10(oracle.relativeError))).toBeLessThan(10 * bound)
      expect(Math.abs(errors.gain - oracle.gain)).toBeLessThan(bound)
      expect(Math.abs(errors.cosine - oracle.cosine)).toBeLessThan(bound)
      expect(Math.abs(errors.maxAbsoluteError / oracle.maxAbsoluteError - 1)).toBeLessThan(bound)
      expect(errors.tokens).toBe(matrices[rows].rows)
    }
    const oracle = rtnErrors(matrices.weight, matrices.evaluation, { ...result, rounding: 'half-even' })
    if (result.weightFormat === null) expect(result.weight).toBeNull()
    else expect(result.weight?.sqnrDb).toBeCloseTo(oracle.weightSqnrDb, 4)
    if (result.activationFormat === null) expect(result.activation).toBeNull()
    else expect(result.activation?.sqnrDb).toBeCloseTo(oracle.activationSqnrDb, 4)
  }
  // Three blocks in a row of 70.
  expect(resultIn(outcomes, 'W4A4', 'rtn').bitsPerElement).toBe(4 + (8 * 3) / 70)
  expect(resultIn(outcomes, '16/mxfp4', 'rtn').bitsPerElement).toBe(16)
})

test('a result names all that reproduces it: formats, choices, seed, options with their defaults', async () => {
  const request = requestOf(['W8A8', 'W4A8'], ['quarot'])
  const outcomes = outcomesOf(await collect(uploadLayer(), request))
  const result = resultIn(outcomes, 'W4A8', 'quarot')
  expect(result).toMatchObject({ weightFormat: 'mxfp4', activationFormat: 'mxfp8_e4m3', outputFormat: null, seed: 7 })
  expect(result).toMatchObject({ scaleRule: 'floor', rounding: 'half-even', blockSize: 32, headDim: null })
  expect(result).toMatchObject({ preScale: 0.75, preScaleVariant: 'exact' })
  expect(Object.keys(result.options)).not.toHaveLength(0)
  expect(resultIn(outcomes, 'W8A8', 'quarot')).toMatchObject({
    scaleRule: 'floor',
    preScale: null,
    preScaleVariant: null,
  })
  expect(result.elapsedMs).toBeGreaterThan(0)
})

test('a result without an MX tensor has none of the choices for MX formats', async () => {
  const outcomes = outcomesOf(await collect(uploadLayer(), requestOf(['int4/nvfp4', 'int4/16/mxfp4'], ['rtn'])))
  const none = { scaleRule: null, rounding: null, blockSize: null, preScale: null, preScaleVariant: null }
  expect(resultIn(outcomes, 'int4/nvfp4', 'rtn')).toMatchObject(none)
  const onlyOutput = { scaleRule: 'floor', rounding: 'half-even', blockSize: 32, preScale: 0.75 }
  expect(resultIn(outcomes, 'int4/16/mxfp4', 'rtn')).toMatchObject(onlyOutput)
})

test('an operand of zeros has no SQNR, and that is said', async () => {
  const zeros = { rows: 20, cols: 70, data: new Float32Array(20 * 70) }
  const layer = { ...uploadLayer(), evaluation: uploadMatrix(t.gpu, t.arena, zeros, 'zeros') }
  const result = resultIn(outcomesOf(await collect(layer, requestOf(['W4A4'], ['rtn']))), 'W4A4', 'rtn')
  expect(result.activation?.sqnrDb).toBeNaN()
  expect(result.weight?.sqnrDb).toBeGreaterThan(10)
  expect(result.notes).toEqual(['X′ is zero everywhere, so its SQNR is undefined.'])
})

test('a quantized output costs what the codec says, per head, and is said', async () => {
  const weight = randomMatrix(64, 70, 4)
  const layer = { ...uploadLayer(), weight: uploadMatrix(t.gpu, t.arena, weight, 'wide weight') }
  const request = { ...requestOf(['16/16/mxfp8_e4m3', 'W8A8', 'W8A8KV8'], ['rtn']), headDim: 32 }
  const outcomes = outcomesOf(await collect(layer, request))
  const result = resultIn(outcomes, '16/16/mxfp8_e4m3', 'rtn')
  expect(result).toMatchObject({ outputFormat: 'mxfp8_e4m3', headDim: 32, bitsPerElement: 16 })
  expect(result.notes[0]).toBe('Output quantized to MXFP8 E4M3 per head of 32 channels.')
  const { output } = quantizersOf(request.settings[0], request)
  for (const rows of ['calibration', 'evaluation'] as const) {
    const exact = Float32Array.from(exactProduct(matrices[rows], weight))
    const rounded = roundMatrix({ rows: exact.length / 32, cols: 32, data: exact }, output)
    // Sums of 70 f32 terms move an element to its neighbour now and then.
    expect(result[rows].outputRelativeError).toBeCloseTo(relativeError(exact, rounded.data), 5)
  }
  const [without, with8] = ['W8A8', 'W8A8KV8'].map((id) => resultIn(outcomes, id, 'rtn'))
  expect(without).toMatchObject({ outputFormat: null, headDim: null, notes: [] })
  expect(with8.evaluation.outputRelativeError).toBeGreaterThan(1.05 * without.evaluation.outputRelativeError)
})

test('a head dimension the output cannot have is refused before anything starts, but only where it is used', async () => {
  const refused = collect(uploadLayer(), { ...requestOf(['W4A4', 'W8A8KV8'], ['rtn']), headDim: 32 })
  await expect(refused).rejects.toMatchObject({ code: 'SE-02' })
  await expect(refused).rejects.toThrow(
    'head dimension: expected one of 24 (they divide the 24 output channels), found 32.',
  )
  const unused = await collect(uploadLayer(), { ...requestOf(['W4A4'], ['rtn']), headDim: 32 })
  expect(outcomesOf(unused)).toHaveLength(1)
  const assumed = resultIn(outcomesOf(await collect(uploadLayer(), requestOf(['W8A8KV8'], ['rtn']))), 'W8A8KV8', 'rtn')
  expect(assumed.headDim).toBe(24)
  expect(assumed.notes[1]).toContain('The head size 24 was assumed')
})

test('the scale analysis is there when it is asked for, and starts from the error of the result', async () => {
  const request = { ...requestOf(['W4A4', 'int8/nvfp4'], ['rtn', 'quarot']), scaleAnalysis: true }
  const outcomes = outcomesOf(await collect(uploadLayer(), request))
  for (const method of ['rtn', 'quarot']) {
    const { scaleAnalysis, evaluation } = resultIn(outcomes, 'W4A4', method)
    const sweep = scaleAnalysis?.preScaleSweep
    expect([sweep?.values[5], sweep?.outputSqnrDb[5]]).toEqual([0.75, evaluation.outputSqnrDb])
    expect(-20 * Math.log10(scaleAnalysis?.split?.powerOfTwo ?? 0)).toBe(sweep?.outputSqnrDb.at(-1))
    expect(scaleAnalysis?.split?.powerOfTwo).not.toBe(evaluation.outputRelativeError)
    expect(scaleAnalysis?.blockSizeSweep?.outputSqnrDb[2]).toBe(evaluation.outputSqnrDb)
    expect(scaleAnalysis?.activationScales?.blocks).toBe(20 * 3)
    expect(resultIn(outcomes, 'int8/nvfp4', method).scaleAnalysis).toMatchObject({ split: null, weightScales: null })
  }
  const plain = outcomesOf(await collect(uploadLayer(), requestOf(['W4A4'], ['rtn'])))
  expect(resultIn(plain, 'W4A4', 'rtn').scaleAnalysis).toBeNull()
})

test.each(['exact', 'literal'] as const)(
  'the %s sweep passes through the result, off the steps too',
  async (variant) => {
    for (const factor of [0.75, 0.72, 1]) {
      const request = { ...requestOf(['W4A16'], ['rtn']), preScale: { factor, variant }, scaleAnalysis: true }
      const { scaleAnalysis, evaluation } = resultIn(outcomesOf(await collect(uploadLayer(), request)), 'W4A16', 'rtn')
      const sweep = scaleAnalysis?.preScaleSweep
      expect(sweep?.variant).toBe(factor === 1 ? 'exact' : variant)
      expect(sweep?.outputSqnrDb[sweep.values.indexOf(factor)]).toBe(evaluation.outputSqnrDb)
    }
  },
)

test('every format gives a result, and what it costs in bits', async () => {
  const settings = FORMATS.map(({ id }) => `${id}/${id}`)
  const outcomes = outcomesOf(await collect(uploadLayer(), requestOf(settings, ['rtn'])))
  const bits = outcomes.map((outcome) => (outcome.kind === 'result' ? outcome.bitsPerElement : outcome.error.message))
  const [mx, nvfp, row] = [(8 * 3) / 70, (8 * 5) / 70, 16 / 70]
  expect(bits).toEqual([8 + mx, 8 + mx, 8 + mx, 6 + mx, 6 + mx, 4 + mx, 4 + nvfp, 8 + row, 4 + row, 16, 16])
  for (const outcome of outcomes) {
    if (outcome.kind === 'result') expect(outcome.evaluation.outputRelativeError).toBeLessThan(0.4)
  }
})

test('the profile is that of the evaluation activations after the transform', async () => {
  const outcomes = outcomesOf(await collect(uploadLayer(), requestOf(['W4A4'], ['rtn', 'quarot'])))
  const { profile } = resultIn(outcomes, 'W4A4', 'rtn')
  expect(profile.count).toBe(20 * 70)
  expect(profile.maxAbsolute).toBe(Math.max(...matrices.evaluation.data.map(Math.abs)))
  expect(resultIn(outcomes, 'W4A4', 'quarot').profile.maxAbsolute).not.toBe(profile.maxAbsolute)
})

test('outcomes come one at a time, methods within settings', async () => {
  const events = await collect(uploadLayer(), requestOf(['W8A8', 'W4A4'], ['rtn', 'quarot']))
  const told = events.map((event) => {
    if (event.kind === 'plan') return 'plan'
    return event.kind === 'outcome'
      ? `${event.outcome.setting} ${event.outcome.method}`
      : `${event.kind} ${event.method}`
  })
  expect(told).toEqual([
    'plan',
    ...['started rtn', 'W8A8 rtn', 'started quarot', 'W8A8 quarot'],
    ...['started rtn', 'W4A4 rtn', 'started quarot', 'W4A4 quarot'],
  ])
})

test('a method that fails keeps its place and its reason; the others stand', async () => {
  const events = await collect(uploadLayer(), requestOf(['W4A4'], ['refusing', 'careless', 'rtn']))
  const [refusing, careless, rtn] = outcomesOf(events)
  expect(refusing).toMatchObject({
    kind: 'failure',
    method: 'refusing',
    error: { kind: 'input', code: 'MD-01', message: 'refusing: expected something else, found 70.' },
  })
  expect(careless).toMatchObject({ kind: 'failure', error: { kind: 'gpu', code: 'GP-05' } })
  expect(rtn).toMatchObject({ kind: 'result', method: 'rtn' })
})

test('methods see the calibration rows and nothing else', async () => {
  const layer = uploadLayer()
  const events = await collect(layer, requestOf(['W4A4'], ['probe']))
  const [input] = fittedOn
  expect(input.calibration).toBe(layer.calibration)
  expect(input.weight).toBe(layer.weight)
  expect([input.reference.rows, input.reference.cols]).toEqual([33, 24])
  expect(Object.values(input)).not.toContain(layer.evaluation)
  expect(events[2]).toEqual({
    kind: 'progress',
    method: 'probe',
    setting: 'W4A4',
    progress: { stage: 'looking', done: 1, total: 2 },
  })
})

test('methods see the head size the request names, whatever happens to the output', async () => {
  fittedOn.length = 0
  await collect(uploadLayer(), { ...requestOf(['W4A4'], ['probe']), headDim: 32 })
  await collect(uploadLayer(), requestOf(['W4A4'], ['probe']))
  expect(fittedOn.map(({ headDim }) => headDim)).toEqual([32, null])
})

test('measured on the calibration rows, both errors are the same', async () => {
  const layer = uploadLayer()
  const outcomes = outcomesOf(await collect({ ...layer, evaluation: layer.calibration }, requestOf(['W4A4'], ['rtn'])))
  const result = resultIn(outcomes, 'W4A4', 'rtn')
  expect(result.evaluation).toEqual(result.calibration)
  expect(result.evaluation.tokens).toBe(33)
})

test('the same request gives the same numbers twice', async () => {
  const layer = uploadLayer()
  const request = requestOf(['W4A4'], ['rtn', 'quarot'])
  expect(outcomesOf(await collect(layer, request))).toEqual(outcomesOf(await collect(layer, request)))
})

test('a cancelled run ends with an AbortError, keeps what is done and starts nothing more', async () => {
  const controller = new AbortController()
  const events: ComparisonEvent[] = []
  const run = runComparison(
    uploadLayer(),
    requestOf(['W4A4'], ['rtn', 'quarot']),
    { gpu: t.gpu, signal: controller.signal, now: () => 0 },
    (event) => {
      events.push(event)
      if (event.kind === 'outcome') controller.abort()
    },
  )
  await expect(run).rejects.toMatchObject({ name: 'AbortError' })
  expect(events.map((event) => event.kind)).toEqual(['plan', 'started', 'outcome'])
})

test('a request that names what does not exist is refused before anything starts', async () => {
  const unknownMethod = requestOf(['W4A4'], ['rtn', 'rotn'])
  const events: ComparisonEvent[] = []
  const context = { gpu: t.gpu, signal: new AbortController().signal, now: () => 0 }
  const run = runComparison(uploadLayer(), unknownMethod, context, (event) => events.push(event))
  await expect(run).rejects.toThrow('rotn')
  expect(events).toEqual([])
  const badOption = { ...requestOf(['W4A4'], []), methods: [{ id: 'rtn', options: { power: 3 } }] }
  expect(() => checkRequest(badOption)).toThrow('rtn.power: no such option')
  expect(() => checkRequest(requestOf(['W4A4'], ['rtn']))).not.toThrow()
  // Choices are checked whether or not a format of the setting has them.
  expect(() => checkRequest({ ...requestOf(['int4/int4'], ['rtn']), blockSize: 12 })).toThrow('expected one of 8, 16')
  const preScale = { factor: 0.3, variant: 'exact' } as const
  expect(() => checkRequest({ ...requestOf(['int4/int4'], ['rtn']), preScale })).toThrow('expected 0.5 to 1, found 0.3')
})
