import { afterEach, expect, test, vi } from 'vitest'
import { createRandom } from '../../src/core/random'
import type { ComparisonRequest } from '../../src/experiment/request'
import type { MethodOutcome } from '../../src/experiment/result'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { DEFAULT_SYNTHETIC } from '../../src/io/synthetic'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { createEngine } from '../../src/worker/engine'
import type { EngineApi, LayerChoice, RunEvent } from '../../src/worker/protocol'
import { sharedNavigatorGpu } from '../support/gpu'
import { limitMemory } from '../support/limit-memory'

vi.setConfig({ testTimeout: 180_000 })

const engines: EngineApi[] = []

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.loseDevice()
})

/** navigator.gpu with devices that have memory for `bytes` of buffers. */
async function gpuWith(bytes: number): Promise<GPU> {
  const gpu = await sharedNavigatorGpu()
  return {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options)
      if (!adapter) return null
      const requestDevice = adapter.requestDevice.bind(adapter)
      adapter.requestDevice = async (descriptor) => {
        const device = await requestDevice(descriptor)
        limitMemory(device, bytes)
        return device
      }
      return adapter
    },
  } as GPU
}

const SIZE = { outDim: 512, inDim: 1024, tokens: 256 }

/** An engine with a layer open, on a device with memory for `bytes` of buffers. */
async function engineWith(
  bytes: number,
  { outDim, inDim, tokens } = SIZE,
): Promise<{ engine: EngineApi; choice: LayerChoice }> {
  const gpu = await gpuWith(bytes)
  const engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  engines.push(engine)
  const random = createRandom(3)
  const weight = new Uint8Array(Float32Array.from({ length: outDim * inDim }, () => random.normal()).buffer)
  const file = writeSafetensors([{ name: 'w', dtype: 'F32', shape: [outDim, inDim], bytes: weight }])
  const answer = await engine.openFile(new File([file], 'layer.safetensors'))
  if (!answer.ok) throw new Error(answer.error.message)
  const choice: LayerChoice = {
    weight: { fileId: answer.value.id, tensor: 'w' },
    activations: { kind: 'synthetic', spec: { ...DEFAULT_SYNTHETIC, tokens, seed: 1 }, gain: null },
    ...{ heldOutShare: 0, firstToken: 0, tokens: null },
  }
  return { engine, choice }
}

const requestOf = (methods: readonly string[]): ComparisonRequest => ({
  ...STANDARD_MX,
  settings: [parseSetting('W4A4')],
  methods: methods.map((id) => ({ id, options: {} })),
  ...{ seed: 0, headDim: null, scaleAnalysis: false },
})

async function run({ engine, choice }: Awaited<ReturnType<typeof engineWith>>, methods: readonly string[]) {
  const events: RunEvent[] = []
  const end = await engine.run('run-1', choice, requestOf(methods), (event) => events.push(event))
  const outcomes = events.flatMap((event): MethodOutcome[] => (event.kind === 'outcome' ? [event.outcome] : []))
  const plans = events.flatMap((event) => (event.kind === 'plan' ? [event.plan] : []))
  const told = events.flatMap((event) => {
    if (event.kind === 'plan') return [event.plan.pieces ? 'plan in pieces' : 'plan']
    if (event.kind === 'started') return [`started ${event.method}`]
    return event.kind === 'outcome' ? [event.outcome.kind] : []
  })
  return { end, outcomes, plans, told }
}

const errorsOf = (outcomes: readonly MethodOutcome[]) =>
  outcomes.map((outcome) => (outcome.kind === 'result' ? outcome.evaluation.outputRelativeError : outcome.error.code))

/** What the methods would take together with the layer, in the order they were asked for. */
async function needs(methods: readonly string[]) {
  const { outcomes, plans } = await run(await engineWith(2 ** 30), methods)
  const [{ weightBytes, activationBytes, referenceBytes, methods: planned }] = plans
  const layer = weightBytes + activationBytes + referenceBytes
  return { outcomes, bytes: planned.map(({ bytes }) => layer + bytes) }
}

test('where memory runs out a method is run again in pieces, and the ones behind it on the whole layer', async () => {
  const methods = ['rtn', 'quarot', 'rtn']
  const ample = await needs(methods.slice(0, 2))
  const [rtn, quarot] = ample.bytes
  const { end, told, outcomes } = await run(await engineWith((rtn + quarot) / 2), methods)
  expect(end).toEqual({ kind: 'done' })
  expect(told).toEqual([
    ...['plan', 'started rtn', 'result', 'started quarot'],
    ...['plan in pieces', 'started quarot', 'result', 'started rtn', 'result'],
  ])
  const errors = [...errorsOf(ample.outcomes), errorsOf(ample.outcomes)[0]]
  for (const [index, error] of errorsOf(outcomes).entries()) expect(error).toBeCloseTo(Number(errors[index]), 5)
  expect(outcomes[1]).toMatchObject({
    notes: expect.arrayContaining(['GPU memory ran out, so the 512 rows of the weight were taken in 2 pieces.']),
  })
})

test('what earlier methods have left makes room before anything else is tried', async () => {
  const [, beside] = (await needs(['rtn', 'quarot'])).bytes
  const [alone] = (await needs(['quarot'])).bytes
  const { end, told } = await run(await engineWith((alone + beside) / 2), ['rtn', 'quarot'])
  expect(end).toEqual({ kind: 'done' })
  expect(told).toEqual(['plan', 'started rtn', 'result', 'started quarot', 'result'])
})

test('a method that cannot be had in pieces says what to reduce, and the ones behind it go on', async () => {
  const [smoothquant, rtn] = [await needs(['smoothquant']), await needs(['rtn'])].map(({ bytes }) => bytes[0])
  const { end, outcomes } = await run(await engineWith((rtn + smoothquant) / 2), ['smoothquant', 'rtn'])
  expect(end).toEqual({ kind: 'done' })
  expect(outcomes.map(({ method, kind }) => `${method} ${kind}`)).toEqual(['smoothquant failure', 'rtn result'])
  const [failure] = outcomes
  if (failure.kind !== 'failure') throw new Error('expected a failure')
  const { code, message, proposal } = failure.error
  expect(code).toBe('GP-03')
  expect(message).toMatch(
    /^smoothquant needs about [\d.]+ MiB of GPU memory at once \(weight 2\.0 MiB, activations 1\.0 MiB, outputs 0\.5 MiB\), and it ran out\. /,
  )
  expect(message).toMatch(/No number of tokens would help, since the weight itself is too large/)
  expect(proposal).toBeUndefined()
})

test('too little memory for the layer itself ends the run with a number of tokens that would fit', async () => {
  const size = { outDim: 64, inDim: 256, tokens: 2048 }
  const { end } = await run(await engineWith(2 ** 20, size), ['rtn'])
  expect(end).toMatchObject({
    kind: 'failed',
    error: {
      ...{ kind: 'gpu', code: 'GP-03', proposal: { kind: 'tokens', tokens: 512 } },
      message: expect.stringMatching(
        /^rtn needs about .* and it ran out\. Use 512 of 2048 tokens, which need 1\.\d MiB, or leave rtn out\.$/,
      ),
    },
  })
})
