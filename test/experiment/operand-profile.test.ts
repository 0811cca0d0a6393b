import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { randomSigns } from '../../src/core/random'
import type { LoadedLayer } from '../../src/experiment/load-layer'
import { type ForeignTensor, profileOperands } from '../../src/experiment/operand-profile'
import {
  type ProfileEvent,
  type ProfileRequest,
  type Profiles,
  profiledRows,
  takesTransform,
} from '../../src/experiment/profile-request'
import type { ActivationProfile } from '../../src/experiment/result'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import { createWorkCache, type WorkCache } from '../../src/experiment/shared-work'
import type { Quantizer } from '../../src/formats/number-format'
import { uploadMatrix } from '../../src/gpu/transfer'
import { blobSource } from '../../src/io/byte-source'
import type { TensorView } from '../../src/io/tensor-view'
import { exactNt } from '../oracle/matmul'
import { hadamardRows } from '../oracle/orthogonal'
import { exactChannels, exactHistogram, exactMap, exactMoments } from '../oracle/statistics'
import { gpuFixture } from '../support/gpu'
import { roundMatrix } from '../support/layer-codec'
import { gaussian } from '../support/matrices'

const t = gpuFixture()
const IN = 64
const OUT = 24
const SEED = 7

/** Gaussian rows, every 17th channel 20 times as large. */
function rowsOf(rows: number, seed: number): Matrix {
  const m = gaussian(rows, IN, seed)
  return { ...m, data: m.data.map((x, i) => x * ((i % IN) % 17 === 3 ? 20 : 1)) }
}

const matrices = { weight: gaussian(OUT, IN, 1), calibration: rowsOf(33, 2), evaluation: rowsOf(20, 3) }

function loadedLayer(): LoadedLayer {
  const upload = (m: Matrix, label: string) => uploadMatrix(t.gpu, t.arena, m, label)
  return {
    name: 'q_proj.weight',
    weight: upload(matrices.weight, 'weight'),
    calibration: upload(matrices.calibration, 'calibration'),
    evaluation: upload(matrices.evaluation, 'evaluation'),
    weightBits: 32,
  } as LoadedLayer
}

function requestOf(methods: readonly string[], change: Partial<ProfileRequest> = {}): ProfileRequest {
  return {
    setting: parseSetting('W4A4'),
    methods: methods.map((id) => ({ id, options: {} })),
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: null,
    blockSize: 32,
    seed: SEED,
    headDim: null,
    tensor: null,
    ...change,
  }
}

interface Run {
  readonly work?: WorkCache
  readonly foreign?: ForeignTensor
  readonly layer?: LoadedLayer
  readonly signal?: AbortSignal
}

async function collect(request: ProfileRequest, run: Run = {}): Promise<ProfileEvent[]> {
  const { work = createWorkCache(), foreign = null, layer = loadedLayer(), signal } = run
  const events: ProfileEvent[] = []
  const context = { gpu: t.gpu, signal: signal ?? new AbortController().signal, now: () => 0, work, foreign }
  await profileOperands(layer, request, context, (event) => events.push(event)).finally(() => run.work ?? work.clear())
  return events
}

function profilesOf(events: readonly ProfileEvent[], method: string | null): Profiles {
  const found = events.find((event) =>
    method === null ? event.kind === 'loaded' : event.kind === 'profiled' && event.method === method,
  )
  if (found?.kind !== 'loaded' && found?.kind !== 'profiled') throw new Error(`no profiles of ${method}`)
  return found.profiles
}

/** Every number of a profile against float64, `slack` being what an element may be off by, relative to the largest. */
function expectProfile(found: ActivationProfile | undefined, m: Matrix, slack = 0): void {
  if (!found) throw new Error('no profile')
  const largest = m.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const near = (value: number, exact: number) => expect(Math.abs(value - exact)).toBeLessThanOrEqual(slack * largest)
  expect(found.count).toBe(m.rows * m.cols)
  expect([found.map.tokens, found.map.channels]).toEqual([m.rows, m.cols])
  near(found.maxAbsolute, largest)
  const channels = exactChannels(m)
  channels.max.forEach((max, col) => void near(found.channelMax[col], max))
  channels.rms.forEach((rms, col) => {
    expect(Math.abs(found.channelRms[col] - rms)).toBeLessThanOrEqual((slack + 35 * 2 ** -24) * largest)
  })
  exactMap(m, found.map.rows, found.map.cols).forEach((cell, i) => void near(found.map.values[i], cell))
  expect(Math.abs(found.kurtosis / exactMoments(m).kurtosis - 1)).toBeLessThan(1e-4)
  const { range, counts } = found.histogram
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(m.rows * m.cols)
  if (slack === 0) expect([...counts]).toEqual(exactHistogram(m, range, 512))
}

const { weight: weightQuantizer, activation } = quantizersOf(parseSetting('W4A4'), requestOf([]))
const rounded = (m: Matrix, quantizer: Quantizer | null): Matrix => (quantizer ? roundMatrix(m, quantizer) : m)

function product(x: Matrix, w: Matrix): Matrix {
  return { rows: x.rows, cols: w.rows, data: Float32Array.from(exactNt(x, w).values) }
}

/** x rotated by the random Hadamard matrix of the seed. */
function rotated(m: Matrix): Matrix {
  const shape = { rows: m.rows, order: 1, run: IN, outer: [1], signs: randomSigns(IN, SEED) }
  return { ...m, data: Float32Array.from(hadamardRows(m.data, shape)) }
}

test('as loaded and under RTN every number is that of the float64 oracle', async () => {
  const events = await collect(requestOf(['rtn']))
  expect(events.map(({ kind }) => kind)).toEqual(['loaded', 'started', 'profiled'])
  const loaded = profilesOf(events, null)
  expectProfile(loaded.activations?.loaded, matrices.evaluation)
  expectProfile(loaded.weight?.loaded, matrices.weight)

  const rtn = profilesOf(events, 'rtn')
  expect(rtn.activations?.transformed).toEqual(loaded.activations?.loaded)
  expect(rtn.weight?.transformed).toEqual(loaded.weight?.loaded)
  const [x, w] = [rounded(matrices.evaluation, activation), rounded(matrices.weight, weightQuantizer)]
  expectProfile(rtn.activations?.quantized, x)
  expectProfile(rtn.weight?.quantized, w)
  const [estimate, reference] = [product(x, w), product(matrices.evaluation, matrices.weight)]
  const error = { ...estimate, data: estimate.data.map((y, i) => y - reference.data[i]) }
  // Two f32 sums of 64 products: (64 + 2) · 2^-23 · Σ|a||b| each, and Σ|a||b| is within 100 times the largest error.
  expectProfile(rtn.error?.quantized, error, 100 * 2 * 66 * 2 ** -23)
})

test('a rotation is profiled in its own space, activations and weight alike', async () => {
  const profiles = profilesOf(await collect(requestOf(['quarot'])), 'quarot')
  // log2(64) additions and one product per element, each rounded once, of sums of at most √64 times the largest.
  const slack = 8 * 8 * 2 ** -24
  expectProfile(profiles.activations?.transformed, rotated(matrices.evaluation), slack)
  expectProfile(profiles.weight?.transformed, rotated(matrices.weight), slack)
})

test('an operand that stays as loaded has no quantized stage', async () => {
  const profiles = profilesOf(await collect(requestOf(['rtn'], { setting: parseSetting('W4A16') })), 'rtn')
  expect(Object.keys(profiles.activations ?? {})).toEqual(['transformed'])
  expect(Object.keys(profiles.weight ?? {})).toEqual(['transformed', 'quantized'])
})

/** A safetensors data section of one F32 tensor. */
function foreignTensor(name: string, m: Matrix): ForeignTensor {
  const view = (title: string, shape: number[]): TensorView => {
    return { name: title, dtype: 'F32', shape, byteOffset: 0, byteLength: 4 * shape[0] * shape[1] }
  }
  const source = blobSource('other.safetensors', new Blob([m.data as Float32Array<ArrayBuffer>]))
  return {
    source: { source, tensor: view(name, [m.rows, m.cols]) },
    weight: view('q_proj.weight', [OUT, IN]),
  }
}

test('another tensor of that width takes the activation side of every transform', async () => {
  const other = rowsOf(11, 9)
  const events = await collect(requestOf(['rtn', 'quarot']), { foreign: foreignTensor('k_proj.input', other) })
  expectProfile(profilesOf(events, null).tensor?.loaded, other)
  expectProfile(profilesOf(events, 'rtn').tensor?.quantized, rounded(other, activation))
  expectProfile(profilesOf(events, 'quarot').tensor?.transformed, rotated(other), 64 * 2 ** -24)
})

test('a weight, and a tensor of another width, is shown as it is and no method is fitted', async () => {
  for (const [name, cols] of [
    ['k_proj.weight', IN],
    ['mlp.input', 40],
  ] as const) {
    const other = gaussian(6, cols, 4)
    const events = await collect(requestOf(['rtn', 'quarot']), { foreign: foreignTensor(name, other) })
    expect(events.map(({ kind }) => kind)).toEqual(['loaded'])
    expectProfile(profilesOf(events, null).tensor?.loaded, other)
  }
})

test('a fit is kept for the next tensor, and released with its layer', async () => {
  const work = createWorkCache()
  const [layer, next] = [loadedLayer(), loadedLayer()]
  const base = t.gpu.pool.liveBytes
  const request = requestOf(['awq'])
  const fits = () => [...work.kept.keys()].filter((name) => name.startsWith('["awq"') && !name.includes('\n')).length
  await collect(request, { work, layer })
  expect(fits()).toBe(1)
  const foreign = foreignTensor('k_proj.input', rowsOf(5, 8))
  const events = await collect(request, { work, layer, foreign })
  expect(profilesOf(events, 'awq').tensor?.transformed?.count).toBe(5 * IN)
  expect(fits()).toBe(1)
  await collect({ ...request, setting: parseSetting('W8A8') }, { work, layer, foreign })
  expect(fits()).toBe(2)
  expect(t.gpu.pool.liveBytes).toBeGreaterThan(base)
  work.keepOnly(next)
  expect(t.gpu.pool.liveBytes).toBe(base)
})

test('a method that fails is told with its reason, and the others go on', async () => {
  const layer = { ...loadedLayer(), ...narrow() }
  const events = await collect(requestOf(['block-hadamard', 'rtn']), { layer })
  expect(events.map(({ kind }) => kind)).toEqual(['loaded', 'started', 'failed', 'started', 'profiled'])
  expect(events[2]).toMatchObject({ method: 'block-hadamard', error: { kind: 'input', code: 'MD-08' } })
})

/** A layer whose width no block of 32 divides. */
function narrow(): Partial<LoadedLayer> {
  const upload = (m: Matrix) => uploadMatrix(t.gpu, t.arena, m, 'narrow')
  return {
    weight: upload(gaussian(8, 40, 1)),
    calibration: upload(gaussian(9, 40, 2)),
    evaluation: upload(gaussian(7, 40, 3)),
  }
}

test('a request is refused before anything is computed, and a cancel ends the run', async () => {
  await expect(collect(requestOf(['nothing']))).rejects.toMatchObject({ code: 'MD-04' })
  await expect(collect(requestOf(['rtn'], { blockSize: 12 }))).rejects.toMatchObject({ code: 'FM-03' })
  await expect(
    collect(requestOf(['rtn']), {
      foreign: foreignTensor('x', { rows: 2, cols: 2, data: Float32Array.of(1, Number.NaN, 0, 0) }),
    }),
  ).rejects.toMatchObject({ code: 'TS-04' })
  const controller = new AbortController()
  controller.abort()
  await expect(collect(requestOf(['rtn']), { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
})

test('of a tensor beyond 2^26 elements the first rows are read', () => {
  expect(profiledRows([128_256, 4096])).toBe(16_384)
  expect(profiledRows([100, 4096])).toBe(100)
  expect(profiledRows([3, 2 ** 27])).toBe(1)
})

test('which tensors take the transform goes by width and name, however the weight is stored', () => {
  const view = (name: string, cols: number): TensorView => {
    return { name, dtype: 'F32', shape: [6, cols], byteOffset: 0, byteLength: 24 * cols }
  }
  const stored = { ...view('q_proj.weight', OUT), shape: [IN, OUT] }
  const taken = (name: string, cols: number) => takesTransform(view(name, cols), stored, IN)
  expect([taken('k_proj.input', IN), taken('q_proj.input', IN), taken('x', IN)]).toEqual([true, true, true])
  expect([taken('k_proj.input', OUT), taken('k_proj.weight', IN), taken('q_proj.weight', IN)]).toEqual([
    false,
    false,
    false,
  ])
})
