import { openAsBlob } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import type { ErrorReport } from '../../src/core/errors'
import { DEFAULT_OUTLIER_STUDY } from '../../src/experiment/outlier-defaults'
import type { OutlierStudyEvent } from '../../src/experiment/outlier-study'
import type { ComparisonRequest } from '../../src/experiment/request'
import type { SweepPoint } from '../../src/experiment/result'
import type { ExplanationEvent } from '../../src/experiment/rotation-causes'
import { parseSetting } from '../../src/experiment/settings'
import type { SweepEvent } from '../../src/experiment/sweep'
import { createEngine } from '../../src/worker/engine'
import type { EngineApi, LayerChoice, RunEvent } from '../../src/worker/protocol'
import { sharedNavigatorGpu, testNavigatorGpu } from '../support/gpu'

const engines: EngineApi[] = []

async function newEngine(opening = sharedNavigatorGpu()): Promise<EngineApi> {
  const gpu = await opening
  const engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  engines.push(engine)
  return engine
}

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.loseDevice()
})

/** What stands for `navigator.gpu`, with the labels of pipelines that somebody had to wait for. */
async function watchedGpu(): Promise<{ readonly gpu: GPU; readonly waited: readonly string[] }> {
  const waited: string[] = []
  const gpu = await sharedNavigatorGpu()
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = await gpu.requestAdapter(options)
    if (!adapter) return null
    const requestDevice = adapter.requestDevice.bind(adapter)
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor)
      const create = device.createComputePipeline.bind(device)
      device.createComputePipeline = (pipeline) => {
        waited.push(pipeline.label ?? '')
        return create(pipeline)
      }
      return device
    }
    return adapter
  }
  return { gpu: { requestAdapter, wgslLanguageFeatures: gpu.wgslLanguageFeatures } as unknown as GPU, waited }
}

async function fileOf(path: string): Promise<File> {
  return new File([await openAsBlob(new URL(`../golden/${path}`, import.meta.url))], path.split('/').at(-1) ?? path)
}

async function openLayer(engine: EngineApi): Promise<LayerChoice> {
  const answer = await engine.openFile(await fileOf('layers/layer-a.safetensors'))
  if (!answer.ok) throw new Error(answer.error.message)
  return {
    weight: { fileId: answer.value.id, tensor: 'layer.weight' },
    activations: { kind: 'captured', fileId: answer.value.id, tensor: 'calib.input' },
    heldOutShare: 0.5,
    firstToken: 0,
    tokens: 64,
  }
}

function requestOf(methods: readonly string[], settings = ['W4A4']): ComparisonRequest {
  return {
    settings: settings.map(parseSetting),
    methods: methods.map((id) => ({ id, options: {} })),
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: { factor: 0.75, variant: 'exact' },
    blockSize: 32,
    headDim: null,
    scaleAnalysis: false,
    seed: 0,
  }
}

/** What a run tells, but for how long it waits for kernels. */
const kinds = (events: readonly RunEvent[]) => events.map((event) => event.kind).filter((kind) => kind !== 'compiling')

test('opens a device, reads a header, runs a comparison, for which all is compiled ahead, and tells the layer first', async () => {
  const { gpu, waited } = await watchedGpu()
  const engine = await newEngine(Promise.resolve(gpu))
  expect(await engine.openDevice()).toMatchObject({ ok: true, value: { isSoftware: expect.any(Boolean) } })
  const choice = await openLayer(engine)
  const events: RunEvent[] = []
  const end = await engine.run('run-1', choice, requestOf(['rtn', 'quarot']), (event) => events.push(event))
  expect(end).toEqual({ kind: 'done' })
  expect(kinds(events)).toEqual(['layer', 'plan', 'started', 'outcome', 'started', 'outcome'])
  expect(events[0]).toMatchObject({ layer: { name: 'layer.weight', calibrationTokens: 32, evaluationTokens: 32 } })
  expect(waited).toEqual([])
  // What crosses the worker's boundary must be clonable.
  expect(structuredClone(events)).toEqual(events)
})

test('answers with the error of a malformed file or an unknown tensor instead of throwing', async () => {
  const engine = await newEngine()
  expect(await engine.openFile(new File([new Uint8Array(3)], 'short.safetensors'))).toMatchObject({
    ok: false,
    error: { kind: 'file', code: 'ST-01' },
  })
  const choice = await openLayer(engine)
  const missing = { ...choice, weight: { ...choice.weight, tensor: 'nothing' } }
  expect(await engine.run('run-1', missing, requestOf(['rtn']), () => {})).toMatchObject({
    kind: 'failed',
    error: { kind: 'input', code: 'TS-06', message: 'layer-a.safetensors: no tensor "nothing".' },
  })
  await engine.closeFile(choice.weight.fileId)
  expect(await engine.run('run-2', choice, requestOf(['rtn']), () => {})).toMatchObject({ kind: 'failed' })
})

test('cancel stops the run it names and no other', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const events: RunEvent[] = []
  const end = engine.run('run-1', choice, requestOf(['rtn', 'quarot'], ['W4A4', 'W8A8']), (event) => {
    events.push(event)
    if (event.kind === 'outcome') engine.cancel('run-1')
  })
  await engine.cancel('run-0')
  expect(await end).toEqual({ kind: 'cancelled' })
  expect(kinds(events)).toEqual(['layer', 'plan', 'started', 'outcome'])
})

test('a new run ends the one before', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const first: RunEvent[] = []
  const second: RunEvent[] = []
  const ends = await Promise.all([
    engine.run('run-1', choice, requestOf(['rtn', 'quarot'], ['W4A4', 'W8A8']), (event) => first.push(event)),
    engine.run('run-2', choice, requestOf(['rtn']), (event) => second.push(event)),
  ])
  expect(ends).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  expect(kinds(first)).not.toContain('outcome')
  expect(kinds(second)).toEqual(['layer', 'plan', 'started', 'outcome'])
})

test('a sweep is a run, for which all is compiled ahead: it tells its points in order, and a run ends it', async () => {
  const { gpu, waited } = await watchedGpu()
  const engine = await newEngine(Promise.resolve(gpu))
  const choice = await openLayer(engine)
  const { settings, methods, scaleAnalysis, ...rest } = requestOf(['smoothquant'])
  const request = { ...rest, setting: settings[0], method: methods[0], parameter: 'alpha', values: [0, 0.5, 1] }
  const points: SweepPoint[] = []
  const keep = (event: SweepEvent) => {
    if (event.kind === 'point') points.push(event.point)
  }
  expect(await engine.runSweep('sweep-1', choice, request, keep)).toEqual({ kind: 'done' })
  expect(points.map(({ value }) => value)).toEqual([0, 0.5, 1])
  expect(waited).toEqual([])
  const outcomes: RunEvent[] = []
  await engine.run('run-1', choice, requestOf(['smoothquant']), (event) => outcomes.push(event))
  // The value in use gives what the comparison gives.
  expect(outcomes.at(-1)).toMatchObject({ outcome: { evaluation: points[1].evaluation } })

  const late: SweepEvent[] = []
  const ends = await Promise.all([
    engine.runSweep('sweep-2', choice, request, (event) => late.push(event)),
    engine.run('run-2', choice, requestOf(['rtn']), () => {}),
  ])
  expect(ends).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  expect(late.length).toBeLessThan(6)
  const stopped = engine.runSweep('sweep-3', choice, request, () => {})
  await engine.cancel('sweep-3')
  expect(await stopped).toEqual({ kind: 'cancelled' })
  const unknown = { ...request, parameter: 'rank' }
  expect(await engine.runSweep('sweep-4', choice, unknown, () => {})).toMatchObject({
    kind: 'failed',
    error: { code: 'SW-01' },
  })
})

test('an outlier study is a run of no layer: it tells its points, and a run ends it', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const layer = { ...DEFAULT_OUTLIER_STUDY.layer, outDim: 32, inDim: 64, tokens: 32 }
  const request = { ...DEFAULT_OUTLIER_STUDY, layer, strengths: [1, 32], formats: ['mxfp4'] }
  const events: OutlierStudyEvent[] = []
  expect(await engine.runOutlierStudy('study-1', request, (event) => events.push(event))).toEqual({ kind: 'done' })
  expect(events.map(({ kind }) => kind)).toEqual(
    [1, 32].flatMap(() => ['progress', 'progress', 'progress', 'point', 'point', 'point']),
  )
  expect(structuredClone(events)).toEqual(events)

  const late: OutlierStudyEvent[] = []
  const ends = await Promise.all([
    engine.runOutlierStudy('study-2', request, (event) => late.push(event)),
    engine.run('run-2', choice, requestOf(['rtn']), () => {}),
  ])
  expect(ends).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  expect(late.length).toBeLessThan(events.length)
  const stopped = engine.runOutlierStudy('study-3', request, () => {})
  await engine.cancel('study-3')
  expect(await stopped).toEqual({ kind: 'cancelled' })
  expect(await engine.runOutlierStudy('study-4', { ...request, repeats: 0 }, () => {})).toMatchObject({
    kind: 'failed',
    error: { code: 'OS-01' },
  })
})

test('explains a rotation on the layer, with the errors a run measures', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const { settings, methods, scaleAnalysis, ...choices } = requestOf(['quarot'])
  const { weightFormat, activationFormat } = settings[0]
  const query = { ...choices, weightFormat, activationFormat, method: methods[0] }
  const answer = await engine.explainRotation(choice, query)
  if (!answer.ok) throw new Error(answer.error.message)
  expect(structuredClone(answer)).toEqual(answer)
  const events: RunEvent[] = []
  await engine.run('run-1', choice, requestOf(['rtn', 'quarot']), (event) => events.push(event))
  const errors = events.flatMap((event) =>
    event.kind === 'outcome' && event.outcome.kind === 'result' ? [event.outcome.evaluation.outputRelativeError] : [],
  )
  expect([answer.value.before.measured, answer.value.after.measured]).toEqual(errors)
  const said: ExplanationEvent[] = []
  expect(await engine.runExplanation('explanation-1', choice, query, (event) => said.push(event))).toEqual({
    kind: 'done',
  })
  expect(said.at(-1)).toEqual({ kind: 'explained', causes: answer.value })
  const stopped = engine.runExplanation('explanation-2', choice, query, () => {})
  await engine.cancel('explanation-2')
  expect(await stopped).toEqual({ kind: 'cancelled' })
  expect(await engine.explainRotation(choice, { ...query, method: { id: 'rtn', options: {} } })).toMatchObject({
    ok: false,
    error: { kind: 'input', code: 'RC-01' },
  })
})

test('a tensor is described by its statistics, beside a run, and until that is cancelled', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const run = engine.run('run-1', choice, requestOf(['rtn']), () => {})
  const answer = await engine.describeTensor('one', choice.weight)
  expect(answer).toMatchObject({ ok: true, value: { elements: 256 * 256, nonFinite: { nan: 0 } } })
  expect(structuredClone(answer)).toEqual(answer)
  const cancelled = engine.describeTensor('two', choice.weight)
  await engine.cancelDescription('two')
  expect(await cancelled).toMatchObject({ ok: false, error: { code: 'CANCELLED' } })
  expect(await engine.describeTensor('three', { ...choice.weight, tensor: 'nothing' })).toMatchObject({
    error: { code: 'TS-06' },
  })
  expect(await run).toEqual({ kind: 'done' })
})

test('a second run on the same layer does not read the file again', async () => {
  const engine = await newEngine()
  const blob = await fileOf('layers/layer-a.safetensors')
  let slices = 0
  const slice = blob.slice.bind(blob)
  blob.slice = (...range) => {
    slices += 1
    return slice(...range)
  }
  const answer = await engine.openFile(blob)
  if (!answer.ok) throw new Error(answer.error.message)
  const choice: LayerChoice = {
    weight: { fileId: answer.value.id, tensor: 'layer.weight' },
    activations: { kind: 'captured', fileId: answer.value.id, tensor: 'calib.input' },
    heldOutShare: 0.5,
    firstToken: 0,
    tokens: 64,
  }
  await engine.run('run-1', choice, requestOf(['rtn']), () => {})
  const afterFirst = slices
  await engine.run('run-2', choice, requestOf(['quarot']), () => {})
  expect(slices).toBe(afterFirst)
  await engine.run('run-3', { ...choice, tokens: 32 }, requestOf(['rtn']), () => {})
  expect(slices).toBeGreaterThan(afterFirst)
})

test('a lost device is told once, ends the run, and the next run opens a new one', async () => {
  const engine = await newEngine(testNavigatorGpu())
  const choice = await openLayer(engine)
  const losses: ErrorReport[] = []
  await engine.onDeviceLost((error) => losses.push(error))
  const end = await engine.run('run-1', choice, requestOf(['rtn', 'quarot'], ['W4A4', 'W8A8']), (event) => {
    if (event.kind === 'outcome') engine.loseDevice()
  })
  expect(end).toMatchObject({ kind: 'failed', error: { kind: 'gpu', code: 'GP-04' } })
  expect(losses).toMatchObject([{ kind: 'gpu', code: 'GP-04' }])
  expect(await engine.run('run-2', choice, requestOf(['rtn']), () => {})).toEqual({ kind: 'done' })
})

test('without WebGPU the answer says so', async () => {
  const engine = createEngine({ gpu: () => undefined, now: () => 0 })
  expect(await engine.openDevice()).toMatchObject({ ok: false, error: { kind: 'unsupported', code: 'GP-00' } })
})

test('looks into the blocks of a layer without a run, beside one, and after one of another layer', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const other = { ...choice, tokens: 32 }
  const first = await engine.mapBlocks(choice, { operand: 'activations', blockSize: 32 })
  expect(first).toMatchObject({ ok: true, value: { rows: 64, blocks: 8, mapRows: 64 } })
  const run = engine.run('run-1', choice, requestOf(['rtn', 'quarot']), () => {})
  const looks = [
    engine.mapBlocks(choice, { operand: 'weight', blockSize: 32 }),
    engine.mapBlocks(other, { operand: 'activations', blockSize: 16 }),
    engine.readRow(choice, { operand: 'activations', row: 40 }),
  ] as const
  const [weights, fewer, row] = await Promise.all(looks)
  expect(await run).toEqual({ kind: 'done' })
  expect(weights).toMatchObject({ ok: true, value: { blocks: 8, inDim: 256 } })
  expect(fewer).toMatchObject({ ok: true, value: { rows: 32, blocks: 16 } })
  if (!first.ok || !row.ok) throw new Error('a look failed')
  const maxima = first.value.maxima.subarray(40 * 8, 41 * 8)
  const largest = Array.from(maxima, (_, block) =>
    Math.max(...row.value.values.subarray(32 * block, 32 * block + 32).map(Math.abs)),
  )
  expect(Array.from(maxima)).toEqual(largest)
  expect(row.value.tensorMax).toBe(Math.max(...first.value.maxima))
})

test('a look into a tensor that is not there answers with the error', async () => {
  const engine = await newEngine()
  const choice = await openLayer(engine)
  const missing = { ...choice, weight: { ...choice.weight, tensor: 'no.weight' } }
  expect(await engine.readRow(missing, { operand: 'weight', row: 0 })).toMatchObject({
    ok: false,
    error: { code: 'TS-06' },
  })
  // The next one is not held up by it.
  expect(await engine.readRow(choice, { operand: 'weight', row: 0 })).toMatchObject({ ok: true })
})
