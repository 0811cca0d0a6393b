import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ComparisonRequest } from '../../src/experiment/request'
import { parseSetting } from '../../src/experiment/settings'
import { groupShards } from '../../src/io/checkpoint'
import { DEFAULT_SYNTHETIC } from '../../src/io/synthetic'
import { createEngine } from '../../src/worker/engine'
import type { Answer, EngineApi, FileListing, LayerChoice, Reading, RunEvent } from '../../src/worker/protocol'
import { sharedNavigatorGpu } from '../support/gpu'
import { entry, fileOf, floats } from '../support/make-files'
import {
  cuts,
  type Fault,
  ignoresRanges,
  type RangeServer,
  stalls,
  startRangeServer,
  status,
} from '../support/range-server'

let engine: EngineApi
let server: RangeServer
beforeAll(async () => {
  const gpu = await sharedNavigatorGpu()
  engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  server = await startRangeServer()
})
afterAll(async () => {
  await server.close()
  await engine.loseDevice()
})

const INDEX = 'model.safetensors.index.json'
const [ONE, TWO] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
const weight = floats(8 * 64 * 64, 1)
const rows = floats(64 * 64, 2)
const files: Readonly<Record<string, Buffer>> = {
  [ONE]: fileOf(`{${entry('experts', 'F32', [8, 64, 64], [0, weight.length])}}`, weight),
  [TWO]: fileOf(`{${entry('x.input', 'F32', [64, 64], [0, rows.length])}}`, rows),
  [INDEX]: Buffer.from(JSON.stringify({ weight_map: { experts: ONE, 'x.input': TWO } })),
  'config.json': Buffer.from('{"model_type":"llama"}'),
}

function answered<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`)
  return answer.value
}

const openNamed = async (name: string) =>
  answered(await engine.openFile(new File([new Uint8Array(files[name] ?? [])], name)))
const openUrl = (url: string, id = url) => engine.openUrl(id, url, () => {})

const request: ComparisonRequest = {
  settings: [parseSetting('W4A4')],
  methods: [{ id: 'rtn', options: {} }],
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: null,
  blockSize: 32,
  headDim: null,
  scaleAnalysis: false,
  seed: 0,
}

function choiceOf({ id }: FileListing, activations = id, slice = 7): LayerChoice {
  return {
    weight: { fileId: id, tensor: 'experts', slice },
    activations: { kind: 'captured', fileId: activations, tensor: 'x.input' },
    heldOutShare: 0,
    firstToken: 0,
    tokens: null,
  }
}

/** The relative error of one run; throws what it failed with. */
async function errorOf(choice: LayerChoice): Promise<number> {
  const events: RunEvent[] = []
  const end = await engine.run('run', choice, request, (event) => events.push(event))
  expect(end).toEqual({ kind: 'done' })
  const [outcome] = events.flatMap((event) => (event.kind === 'outcome' ? [event.outcome] : []))
  if (outcome?.kind !== 'result') throw new Error(outcome?.error.message)
  return outcome.calibration.outputRelativeError
}

test('every kind of file is listed as what it is, in data that can be cloned', async () => {
  const listings = await Promise.all([ONE, INDEX, 'config.json'].map(openNamed))
  expect(listings.map(({ kind, url }) => [kind, url])).toEqual([
    ['safetensors', null],
    ['index', null],
    ['config', null],
  ])
  expect(listings[1].shards).toMatchObject({ title: 'model', tensorsOpen: 0, tensorsTotal: 2 })
  expect(listings[1].tensors).toEqual([])
  const npy = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x46\x00', 'latin1'),
    Buffer.from(`${"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 64), }".padEnd(69)}\n`),
    floats(128, 1),
  ])
  const array = answered(await engine.openFile(new File([npy], 'act.npy')))
  expect(array).toMatchObject({ kind: 'npy', tensors: [{ name: 'act', shape: [2, 64] }] })
  expect(structuredClone([...listings, array])).toEqual([...listings, array])
})

test('a packed tensor that lacks a part is refused by name, in the list and as a weight', async () => {
  const file = fileOf(`{${entry('w_packed', 'U8', [64, 32], [0, 2048])}}`, 2048)
  const listing = answered(await engine.openFile(new File([new Uint8Array(file)], 'packed.safetensors')))
  expect(listing.refusals).toMatchObject([{ name: 'w_packed', error: { kind: 'input', code: 'PK-01' } }])
  const choice = { ...choiceOf(listing), weight: { fileId: listing.id, tensor: 'w_packed' } }
  expect(await engine.run('run', choice, request, () => {})).toMatchObject({ kind: 'failed', error: { code: 'PK-01' } })
})

test('joined shards run like one file, and stay open when a member is closed', async () => {
  const opened = await Promise.all([INDEX, TWO, ONE, 'config.json'].map(openNamed))
  const [group] = groupShards(opened)
  const joined = answered(await engine.joinFiles(group.fileIds))
  expect(joined).toMatchObject({ kind: 'checkpoint', name: 'model', url: null, shards: { notes: [] } })
  expect(structuredClone(joined)).toEqual(joined)
  const apart = await errorOf(choiceOf(opened[2], opened[1].id))
  for (const { id } of opened) await engine.closeFile(id)
  expect(await errorOf(choiceOf(joined))).toBe(apart)
  expect(await errorOf(choiceOf(joined, joined.id, 0))).not.toBe(apart)
  const events: RunEvent[] = []
  await engine.run('run', choiceOf(joined), request, (event) => events.push(event))
  expect(events[0]).toMatchObject({ layer: { name: 'experts[7]', file: ONE, activations: { file: TWO } } })
})

test('what cannot be joined is said', async () => {
  const index = await openNamed(INDEX)
  expect(await engine.joinFiles([index.id])).toMatchObject({ ok: false, error: { code: 'IX-07' } })
  expect(await engine.joinFiles(['nothing'])).toMatchObject({ ok: false, error: { code: 'TS-06' } })
  const one = await openNamed(ONE)
  const joined = answered(await engine.joinFiles([one.id, index.id]))
  expect(joined.shards?.notes[0].message).toBe(`1 of 2 shards missing: ${TWO}. 1 of 2 tensors can be opened.`)
  expect(await engine.joinFiles([joined.id])).toMatchObject({
    error: { code: 'IX-07', message: expect.stringContaining('found checkpoint') },
  })
})

test('a layer on a server runs with the same numbers, and says what it is reading', async () => {
  const urls = [ONE, TWO].map((name) => server.serve(`/m/${name}`, files[name]))
  const told: { done: number; total: number }[] = []
  const one = answered(await engine.openUrl('o', urls[0], (progress) => told.push(progress)))
  const two = answered(await openUrl(urls[1]))
  expect(one).toMatchObject({ kind: 'safetensors', name: ONE, url: urls[0], byteLength: files[ONE].length })
  expect(told.at(-1)?.done).toBe(told.at(-1)?.total)
  const joined = answered(await engine.joinFiles([one.id, two.id]))
  const readings: (Reading | null)[] = []
  await engine.onReading((reading) => readings.push(reading))
  const local = await Promise.all([ONE, TWO].map(openNamed))
  expect(await errorOf(choiceOf(joined))).toBe(await errorOf(choiceOf(local[0], local[1].id)))
  // The slice is at the end of its file: what lies behind the first request comes from the server.
  expect(readings.filter(Boolean)).toContainEqual({
    file: ONE,
    tensor: 'experts[7]',
    done: expect.any(Number),
    total: 16_384,
  })
  expect(readings.at(-1)).toBeNull()
})

const faulty = (fault: Fault) => server.serve(`/faulty/${Math.random()}/m.safetensors`, files[ONE], fault)

test('a server that fails is told by its code, and by none is anything left open', async () => {
  expect(await openUrl(`${server.origin}/absent`)).toMatchObject({ ok: false, error: { kind: 'file', code: 'HT-06' } })
  expect(await openUrl(faulty(status(401)))).toMatchObject({ error: { code: 'HT-05' } })
  const large = server.serve('/large.safetensors', Buffer.alloc(100_000), ignoresRanges)
  expect(await openUrl(large)).toMatchObject({ error: { code: 'HT-08' } })
  expect(await openUrl('nonsense')).toMatchObject({ error: { code: 'HT-01' } })
})

test('a broken connection fails the run with its place', async () => {
  const data = floats(64 * 4096, 3)
  const big = fileOf(`{${entry('experts', 'F32', [1, 64, 4096], [0, data.length])}}`, data)
  const listing = answered(
    await openUrl(server.serve('/broken.safetensors', big, cuts({ from: 2, to: 9, after: 1000 }))),
  )
  const choice: LayerChoice = {
    ...choiceOf(listing, listing.id, 0),
    activations: {
      kind: 'synthetic',
      spec: { ...DEFAULT_SYNTHETIC, tokens: 8 },
      gain: null,
    },
  }
  expect(await engine.run('run', choice, request, () => {})).toMatchObject({ kind: 'failed', error: { code: 'HT-12' } })
})

test('opening and listing end when they are cancelled', async () => {
  const silent = server.serve('/silent.safetensors', files[ONE], () => true)
  const opening = openUrl(silent, 'opening')
  setTimeout(() => void engine.cancelOpening('opening'), 50)
  expect(await opening).toMatchObject({ ok: false, error: { code: 'CANCELLED' } })
  expect(await engine.listRepository('list', 'nothing')).toMatchObject({ ok: false, error: { code: 'HB-01' } })
})

test('a run that reads from a server ends when it is cancelled', async () => {
  const data = floats(64 * 4096, 3)
  const big = fileOf(
    `{${entry('experts', 'F32', [1, 64, 4096], [0, data.length])},${entry('x.input', 'F32', [8, 4096], [data.length, data.length + 131_072])}}`,
    Buffer.concat([data, Buffer.alloc(131_072)]),
  )
  const listing = answered(await openUrl(server.serve('/stalling.safetensors', big, stalls)))
  const reading = new Promise<void>((resolve) => {
    void engine.onReading((now) => now && resolve())
  })
  const run = engine.run('stalled', choiceOf(listing, listing.id, 0), request, () => {})
  await reading
  await engine.cancel('stalled')
  expect(await run).toEqual({ kind: 'cancelled' })
})
