import { describe, expect, test } from 'vitest'
import { completeOptions } from '../../src/core/options'
import type { MethodChoice } from '../../src/experiment/request'
import type { MethodOutcome } from '../../src/experiment/result'
import { type ComparisonContext, type ComparisonLayer, runComparison } from '../../src/experiment/run-comparison'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import { fitName, weightName } from '../../src/experiment/shared-fit'
import { createWorkCache, nameUnder, referenceName, type WorkCache } from '../../src/experiment/shared-work'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import type { Gpu } from '../../src/gpu/device'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import type { Kernel, Overrides } from '../../src/gpu/pipeline-cache'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { methodById, TRANSFORMS } from '../../src/methods/registry'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

const METHODS = ['rtn', 'quarot', 'gptq', 'quarot+gptq', 'low-rank', 'gptq+low-rank', 'awq'] as const
const SETTINGS = ['W4A4', 'W4A8'] as const

/** Options that make both uses of GPTQ walk in the same order. */
const OPTIONS: Readonly<Record<string, MethodChoice['options']>> = {
  awq: { points: 5, clip: 'off' },
  'gptq+low-rank': { order: 'natural', scales: 'static' },
}

function uploadLayer(gain = 1): ComparisonLayer {
  const upload = (rows: number, seed: number) => {
    const { data, ...shape } = gaussian(rows, 64, seed)
    return uploadMatrix(t.gpu, t.arena, { ...shape, data: data.map((x) => gain * x) }, 'layer')
  }
  return { name: 'w', weight: upload(64, 1), calibration: upload(96, 2), evaluation: upload(40, 3), weightBits: 32 }
}

interface Run {
  readonly gpu?: Gpu
  readonly work?: WorkCache
  readonly signal?: AbortSignal
  readonly onOutcome?: (outcome: MethodOutcome) => void
}

async function compare(
  layer: ComparisonLayer,
  methods: readonly string[],
  settings: readonly string[] = SETTINGS,
  { gpu = t.gpu, work, signal = new AbortController().signal, onOutcome = () => {} }: Run = {},
): Promise<MethodOutcome[]> {
  const outcomes: MethodOutcome[] = []
  const request = {
    ...STANDARD_MX,
    settings: settings.map((text) => parseSetting(text)),
    methods: methods.map((id) => ({ id, options: OPTIONS[id] ?? {} })),
    ...{ seed: 0, headDim: null, scaleAnalysis: false },
  }
  const context: ComparisonContext = { gpu, signal, now: () => 0, ...(work && { work }) }
  await runComparison(layer, request, context, (event) => {
    if (event.kind !== 'outcome') return
    outcomes.push(event.outcome)
    onOutcome(event.outcome)
  })
  return outcomes
}

/** A GPU that counts dispatches by kernel and buffers by label. */
function counting(gpu: Gpu) {
  const counts: Record<string, number> = {}
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  const pipelines: Gpu['pipelines'] = {
    ...gpu.pipelines,
    get(kernel: Kernel, overrides?: Overrides) {
      count(kernel.name)
      return gpu.pipelines.get(kernel, overrides)
    },
  }
  const pool = createBufferPool(gpu.device, { isStrict: true })
  const { acquire } = pool
  pool.acquire = (bytes, label) => {
    count(`buffer ${label}`)
    return acquire(bytes, label)
  }
  return { gpu: { ...gpu, pipelines, pool }, counts }
}

describe('a comparison', () => {
  test('computes nothing twice: two settings of rotations, compensation and branches', async () => {
    const { gpu, counts } = counting(t.gpu)
    const outcomes = await compare(uploadLayer(), METHODS, SETTINGS, { gpu })
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(14).fill('result'))
    // X and X' of the rotation, whatever is read of them: GPTQ twice, the branch twice, the search of AWQ.
    expect(counts).toMatchObject({ gram: 2, diagonal: 2, 'buffer gram': 2, 'buffer GPTQ inverse': 2 })
    // W and both sets of rows, once.
    expect(counts.hadamard_butterfly).toBe(3)
    // Both references, and Ŷ of both sets for each of 14 results.
    expect(counts.output_error_sums).toBe(28)
    // X̂ of three fits, two sets and two formats; errors of seven Ŵ, and of X̂ of the evaluation rows.
    expect(counts['buffer mxfp8_e4m3 values']).toBe(6)
    expect(counts.operand_error_sums).toBe(7 + 3 * 2)
    expect(counts.histogram).toBe(3)
    expect(gpu.pool.liveBytes).toBe(0)
    gpu.pool.trim()
  })

  test('gives the numbers each of its methods gives alone, bit for bit', async () => {
    const layer = uploadLayer()
    const timeless = (outcomes: readonly MethodOutcome[]) => outcomes.map((outcome) => ({ ...outcome, elapsedMs: 0 }))
    const work = createWorkCache()
    const runs = [
      ...SETTINGS.flatMap((setting) => METHODS.map((id) => [id, setting] as const)),
      ...(['rtn', 'quarot'] as const).map((id) => [id, 'W8A8'] as const),
    ]
    const together = await compare(layer, METHODS, SETTINGS, { work })
    together.push(...(await compare(layer, ['rtn', 'quarot'], ['W8A8'], { work })))
    const alone: MethodOutcome[] = []
    for (const [id, setting] of runs) alone.push(...(await compare(layer, [id], [setting])))
    expect(timeless(together)).toEqual(timeless(alone))
    work.clear()
  })

  test('leaves its work to the next one on the layer, and another layer clears it', async () => {
    const work = createWorkCache()
    const layer = uploadLayer()
    const before = t.gpu.pool.liveBytes
    const [first] = await compare(layer, ['gptq'], ['W4A4'], { work })
    if (first.kind !== 'result') throw new Error('expected a result')
    expect(t.gpu.pool.liveBytes - before).toBe(work.bytes)
    const { gpu, counts } = counting(t.gpu)
    const [again] = await compare(layer, ['gptq'], ['W4A8'], { gpu, work })
    expect(again).toMatchObject({ kind: 'result', weight: first.weight, profile: first.profile })
    // Whoever has a result may take its arrays away.
    const maxima = first.profile.channelMax.slice()
    first.profile.channelMax.fill(-1)
    expect(again).toMatchObject({ profile: { channelMax: maxima } })
    expect(Object.keys(counts).filter((name) => /gram|GPTQ|gptq/.test(name))).toEqual([])
    expect(counts.matmul_nt).toBe(2)
    work.keepOnly({})
    expect(t.gpu.pool.liveBytes).toBe(before)
    gpu.pool.trim()
  })

  test('cancelled, leaves all of the methods before it', async () => {
    const work = createWorkCache()
    const layer = uploadLayer()
    const controller = new AbortController()
    const names = () => [...work.kept.keys()]
    const run = compare(layer, ['rtn', 'gptq'], ['W4A4'], {
      work,
      signal: controller.signal,
      onOutcome: () => controller.abort(),
    })
    await expect(run).rejects.toThrow(/abort/i)
    expect(names().filter((name) => name.includes('"rounded"'))).toHaveLength(2)
    expect(names().filter((name) => name.includes('gram'))).toEqual([])
    work.clear()
  })

  test('leaves nothing of a method that fails on the way, and goes on with what was there', async () => {
    const work = createWorkCache()
    // Squares beyond f32: the Gram matrix is there when it is found to be of no use.
    const { gpu, counts } = counting(t.gpu)
    const outcomes = await compare(uploadLayer(1e25), ['rtn', 'gptq', 'quarot'], ['W4A4'], { gpu, work })
    expect(outcomes.map(({ kind }) => kind)).toEqual(['result', 'failure', 'result'])
    expect(counts['buffer gram']).toBe(1)
    const kept = [...work.kept.keys()]
    expect(kept.filter((name) => name.includes('gram') || name.includes('factor'))).toEqual([])
    expect(kept.filter((name) => name.includes('"rounded"'))).toHaveLength(4)
    work.clear()
    gpu.pool.trim()
  })
})

describe('the cache', () => {
  const BYTES = 4096
  const layer = {}

  function open(budget: number, clock = { ms: 0 }) {
    const work = createWorkCache(budget)
    work.keepOnly(layer)
    const made: string[] = []
    const session = () => work.open(t.gpu, () => clock.ms)
    const use = (name: string, from = session()) =>
      from.get(name, async ({ arena }) => {
        made.push(name)
        arena.buffer(BYTES, name)
        return name
      })
    return { work, made, session, use }
  }

  test('releases what was used longest ago, a fit with what was made from it, and never a reference', async () => {
    const { work, made, use } = open(3 * BYTES)
    const [ofA, ofB] = [nameUnder('a', 'x'), nameUnder('b', 'x')]
    for (const name of [referenceName('calibration'), 'a', ofA, 'b', ofB]) await use(name)
    expect(work.bytes).toBe(5 * BYTES)
    // A use of what was made from a fit is a use of the fit.
    await use(ofA)
    expect(work.trim()).toBe(true)
    expect([...work.kept.keys()].sort()).toEqual([referenceName('calibration'), 'a', ofA, 'b'].sort())
    await use(ofB)
    expect(made.filter((name) => name === ofB)).toHaveLength(2)
    expect(work.trim(0)).toBe(true)
    expect([...work.kept.keys()]).toEqual([referenceName('calibration')])
    expect(work.trim(0)).toBe(false)
    work.clear()
    expect(t.gpu.pool.liveBytes).toBe(0)
  })

  test('makes a result once for all who ask at the same time, and again where it threw', async () => {
    const { work, made, session, use } = open(BYTES)
    const fails = () =>
      session().get('a', async ({ arena }) => {
        arena.buffer(BYTES, 'lost')
        throw new Error('no luck')
      })
    await expect(fails()).rejects.toThrow('no luck')
    expect([work.bytes, t.gpu.pool.liveBytes]).toEqual([0, 0])
    await Promise.all([use('a'), use('a')])
    expect(made).toEqual(['a'])
    work.clear()
  })

  test('a session counts what it found with the time it took, each part once, and takes back what it made', async () => {
    const clock = { ms: 0 }
    const { work, session } = open(10 * BYTES, clock)
    const takes = (ms: number) => async () => {
      clock.ms += ms
    }
    const first = session()
    await first.get('gram', takes(5))
    await first.get('factor', async ({ shared }) => {
      await shared.get('gram', takes(5))
      await shared.get('order', takes(2))
      clock.ms += 7
    })
    expect(first.foundMs).toBe(0)
    const second = session()
    await second.get('factor', takes(0))
    expect(second.foundMs).toBe(5 + 2 + 7)
    await second.get('gram', takes(0))
    await second.get('weight', takes(100))
    expect(second.foundMs).toBe(5 + 2 + 7)
    second.discard()
    expect([...work.kept.keys()].sort()).toEqual(['factor', 'gram', 'order'])
  })
})

test('weights share a name where mitigation, its options, format and seed are equal', () => {
  const { mitigation } = methodById('gptq')
  const config = quantizersOf(parseSetting('W4A4'), STANDARD_MX)
  const options = { scales: 'fresh', order: 'natural', damping: 0.01 }
  const name = weightName(mitigation, { config, options }, 0)
  expect(weightName(mitigation, { config: { ...config, activation: null }, options }, 0)).toBe(name)
  const others = [
    weightName(mitigation, { config, options: { ...options, damping: 0.02 } }, 0),
    weightName(mitigation, { config: { ...config, weight: null }, options }, 0),
    weightName(methodById('rtn').mitigation, { config, options }, 0),
    weightName(mitigation, { config, options }, 1),
  ]
  expect(new Set([name, ...others]).size).toBe(5)
})

describe('fits of one name', () => {
  const VARIANTS: Readonly<Record<string, readonly MethodChoice['options'][]>> = {
    quarot: [{}, { span: 'head' }],
    awq: [OPTIONS.awq, { ...OPTIONS.awq, variant: 'activation-aware' }],
    'block-hadamard': [{}, { size: '16' }],
    'scaled-hadamard': [{}, { rotation: 'block' }],
  }
  const { weight, activation } = quantizersOf(parseSetting('W4A4'), STANDARD_MX)
  const NVFP4 = quantizersOf(parseSetting('nvfp4/nvfp4'), STANDARD_MX)
  const BASE = { config: { weight, activation }, headDim: null as number | null, seed: 0 }
  /** Each differs from the first in one thing. */
  const INPUTS = [
    BASE,
    { ...BASE, config: { weight, activation: NVFP4.activation } },
    { ...BASE, config: { weight: NVFP4.weight, activation } },
    { ...BASE, config: { weight: null, activation } },
    { ...BASE, headDim: 16 },
    { ...BASE, seed: 1 },
  ]

  test.each(
    TRANSFORMS.flatMap((transform) =>
      transform.dependsOn
        ? (VARIANTS[transform.id] ?? [{}]).map((asked) => [transform.id, asked, transform] as const)
        : [],
    ),
  )('of %s with %o are the same', async (_, asked, transform) => {
    const layer = uploadLayer()
    const { weight: w, calibration } = layer
    const options = completeOptions({ id: transform.id, code: 'MD-03' }, transform.options, asked)
    const found = new Map<string, unknown>()
    for (const { config, headDim, seed } of INPUTS) {
      const input = { weight: w, calibration, reference: w, config, options, headDim }
      const name = await fitName(transform, input, seed)
      const fitted = await transform.fit(input, fitContext(t.gpu, t.arena, { seed }))
      const bits = async (matrix: GpuMatrix) => [...new Uint32Array((await readMatrix(t.gpu, matrix)).data.buffer)]
      const facts = {
        report: fitted.report,
        weight: await bits(fitted.weight),
        x: await bits(fitted.apply(calibration)),
      }
      if (found.has(name)) expect(facts).toEqual(found.get(name))
      found.set(name, facts)
    }
    expect(found.size).toBeLessThan(INPUTS.length)
  })
})
