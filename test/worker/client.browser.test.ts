/** The engine client in Chromium: a real worker, started from a blob, with real messages in between. */
import { expect, test } from 'vitest'
import { parseSetting } from '../../src/experiment/settings'
import type { SweepEvent } from '../../src/experiment/sweep'
import { createEngineClient } from '../../src/worker/client'
import type { LayerChoice, RunEnd, RunEvent } from '../../src/worker/protocol'
import layerUrl from '../golden/layers/layer-a.safetensors?url'

const engine = createEngineClient()

async function openLayer(): Promise<LayerChoice> {
  const bytes = await (await fetch(layerUrl)).arrayBuffer()
  const answer = await engine.openFile(new File([bytes], 'layer-a.safetensors'))
  if (!answer.ok) throw new Error(answer.error.message)
  return {
    weight: { fileId: answer.value.id, tensor: 'layer.weight' },
    activations: { kind: 'captured', fileId: answer.value.id, tensor: 'calib.input' },
    heldOutShare: 0.5,
    firstToken: 0,
    tokens: 64,
  }
}

const request = {
  settings: [parseSetting('W4A4')],
  methods: ['rtn', 'quarot'].map((id) => ({ id, options: {} })),
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: { factor: 0.75, variant: 'exact' },
  blockSize: 32,
  headDim: null,
  scaleAnalysis: false,
  seed: 0,
} as const

test('a run in the worker tells its events in order and hands its arrays over', async () => {
  const choice = await openLayer()
  const events: RunEvent[] = []
  expect(await engine.run('run-1', choice, request, (event) => events.push(event))).toEqual({ kind: 'done' })
  const kinds = events.map((event) => event.kind).filter((kind) => kind !== 'compiling')
  expect(kinds).toEqual(['layer', 'plan', 'started', 'outcome', 'started', 'outcome'])
  const outcomes = events.flatMap((event) => (event.kind === 'outcome' ? [event.outcome] : []))
  for (const outcome of outcomes) {
    if (outcome.kind !== 'result') throw new Error(outcome.error.message)
    const { histogram, map, channelMax } = outcome.profile
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(32 * 256)
    expect(map.values.length).toBe(map.rows * map.cols)
    expect(Math.max(...channelMax)).toBe(outcome.profile.maxAbsolute)
  }
})

test('a new run silences the one before; a cancelled run says so', async () => {
  const choice = await openLayer()
  const late: RunEvent[] = []
  const first = engine.run('run-2', choice, request, (event) => late.push(event))
  const second = engine.run('run-3', choice, request, () => {})
  expect(await Promise.all([first, second])).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  expect(late).toEqual([])
  const third = engine.run('run-4', choice, request, () => {})
  await engine.cancel('run-4')
  expect(await third).toEqual({ kind: 'cancelled' })
})

test('a sweep in the worker tells all its points before it ends', async () => {
  const choice = await openLayer()
  const { settings, methods, scaleAnalysis, ...rest } = request
  const method = { id: 'smoothquant', options: {} }
  const sweep = { ...rest, setting: settings[0], method, parameter: 'tokens', values: [8, 16, 32] }
  const values: number[] = []
  const keep = (into: number[]) => (event: SweepEvent) => {
    if (event.kind === 'point') into.push(event.point.value)
  }
  expect(await engine.runSweep('sweep-1', choice, sweep, keep(values))).toEqual({ kind: 'done' })
  expect(values).toEqual([8, 16, 32])
})

test('what is still on its way when another run starts is not told', async () => {
  const choice = await openLayer()
  const { settings, methods, scaleAnalysis, ...rest } = request
  const values = Array.from({ length: 31 }, (_, i) => i + 2)
  const method = { id: 'smoothquant', options: {} }
  const sweep = { ...rest, setting: settings[0], method, parameter: 'tokens', values }
  const told: number[] = []
  let next: Promise<RunEnd> | null = null
  const ended = engine.runSweep('sweep-2', choice, sweep, (event) => {
    if (event.kind !== 'point') return
    told.push(event.point.value)
    if (next) return
    // The worker goes on meanwhile, and what it tells waits in line.
    const start = performance.now()
    while (performance.now() - start < 700);
    next = engine.run('run-6', choice, request, () => {})
  })
  await ended
  expect(await next).toEqual({ kind: 'done' })
  expect(told).toEqual([2])
})

test('a lost device is told, and the next run opens another', async () => {
  const choice = await openLayer()
  await engine.openDevice()
  const loss = new Promise((resolve) => {
    engine.onDeviceLost(resolve)
  })
  await engine.loseDevice()
  expect(await loss).toMatchObject({ kind: 'gpu', code: 'GP-04' })
  expect(await engine.run('run-5', choice, request, () => {})).toEqual({ kind: 'done' })
})

test('errors come back as data', async () => {
  const answer = await engine.openFile(new File(['short'], 'x.safetensors'))
  expect(answer).toMatchObject({ ok: false, error: { kind: 'file', code: 'ST-01' } })
})
