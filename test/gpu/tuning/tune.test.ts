import { describe, expect, it } from 'vitest'
import type { Arena } from '../../../src/gpu/arena'
import type { Gpu } from '../../../src/gpu/device'
import { type KernelChoices, kernelText, PLAIN_CHOICES } from '../../../src/gpu/kernel-choices'
import { PACKED_DOT_FEATURE } from '../../../src/gpu/kernels/packed-dot'
import { type Contests, contestsOn } from '../../../src/gpu/tuning/contests'
import type { Candidate, Contest } from '../../../src/gpu/tuning/pick'
import { NO_MEMORY, type TuningMemory, type TuningOptions, tuneGpu, tuningKey } from '../../../src/gpu/tuning/tune'
import { gpuFixture } from '../../support/gpu'

const t = gpuFixture()

const FASTEST: KernelChoices = { product: 'workgroup-64x64', block: 'subgroup', packed: 'integer-dot' }

const hardware = (change: Partial<Gpu['adapter']> = {}): Gpu => ({
  ...t.gpu,
  adapter: { ...t.gpu.adapter, isSoftware: false, ...change },
})

/** Contests that FASTEST wins, by a clock only they move. */
class Bench {
  held = 0
  #time = 0
  readonly now = () => this.#time

  readonly contests = (): Contests => {
    this.held += 1
    const contest = <T>(plain: T, other: T): Contest<T> => {
      const candidate = (choice: T, cost: number): Candidate<T> => ({
        choice,
        run: async (repetitions) => {
          this.#time += cost * repetitions
        },
        sample: async () => Float32Array.of(1),
      })
      return { plain: candidate(plain, 3), others: [candidate(other, 2)], bounds: [0] }
    }
    return {
      product: contest(PLAIN_CHOICES.product, FASTEST.product),
      block: contest(PLAIN_CHOICES.block, FASTEST.block),
      packed: contest(PLAIN_CHOICES.packed, FASTEST.packed),
    }
  }
}

function memoryOf(entries: Map<string, unknown> = new Map()): TuningMemory & { readonly entries: typeof entries } {
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, value) => void entries.set(key, value),
  }
}

function optionsOf(bench: Bench, change: Partial<TuningOptions> = {}): TuningOptions {
  return { now: bench.now, contests: bench.contests, memory: memoryOf(), version: '1', ...change }
}

describe('tuneGpu', () => {
  it('gives the device the fastest kernels of each contest, and says that they were measured', async () => {
    const bench = new Bench()
    const { choices, adapter } = await tuneGpu(hardware(), optionsOf(bench))
    expect(choices).toEqual(FASTEST)
    expect(adapter.kernels).toEqual({ choices: FASTEST, isMeasured: true })
    expect(kernelText(adapter.kernels)).toBe(
      'products by 64 x 64 per workgroup, blocks by four threads, codes as integers; measured on this GPU',
    )
  })

  it('leaves out a contest there is none of', async () => {
    const bench = new Bench()
    const contests = () => ({ ...bench.contests(), block: null, packed: null })
    const { choices } = await tuneGpu(hardware(), optionsOf(bench, { contests }))
    expect(choices).toEqual({ ...PLAIN_CHOICES, product: FASTEST.product })
  })

  it('measures nothing on a software adapter', async () => {
    const bench = new Bench()
    const software = hardware({ isSoftware: true })
    expect(await tuneGpu(software, optionsOf(bench))).toBe(software)
    expect(bench.held).toBe(0)
  })

  it('remembers per adapter, and forgets when the version changes', async () => {
    const bench = new Bench()
    const options = optionsOf(bench)
    await tuneGpu(hardware(), options)
    const again = await tuneGpu(hardware(), options)
    expect([again.choices, again.adapter.kernels.isMeasured, bench.held]).toEqual([FASTEST, true, 1])
    await tuneGpu(hardware({ description: 'another' }), options)
    expect(bench.held).toBe(2)
    await tuneGpu(hardware({ features: [] }), options)
    expect(bench.held).toBe(3)
    await tuneGpu(hardware(), { ...options, version: '2' })
    expect(bench.held).toBe(4)
    await tuneGpu(hardware(), { ...options, version: '2' })
    expect(bench.held).toBe(4)
  })

  it.each([
    null,
    'text',
    7,
    { version: '1' },
    { version: '1', choices: null },
    { version: '1', choices: { ...FASTEST, product: 'registers-9x9' } },
    { version: '1', choices: { ...FASTEST, block: 4 } },
    { version: '1', choices: { product: FASTEST.product, block: FASTEST.block } },
    { choices: FASTEST },
  ])('measures again where %j is remembered', async (value) => {
    const bench = new Bench()
    const memory = memoryOf(new Map([[tuningKey(hardware()), value]]))
    expect((await tuneGpu(hardware(), optionsOf(bench, { memory }))).choices).toEqual(FASTEST)
    expect(bench.held).toBe(1)
    expect([...memory.entries.values()]).toEqual([{ version: '1', choices: FASTEST }])
  })

  it('measures every time where nothing can be read or written', async () => {
    const bench = new Bench()
    const refuse = () => Promise.reject(new Error('no storage'))
    const options = optionsOf(bench, { memory: { get: refuse, set: refuse } })
    await tuneGpu(hardware(), options)
    expect((await tuneGpu(hardware(), options)).choices).toEqual(FASTEST)
    expect(bench.held).toBe(2)
  })

  it('keeps the plain kernels, and remembers nothing, where they fail', async () => {
    const bench = new Bench()
    const contests = () => {
      const { product, ...others } = bench.contests()
      const sample = () => Promise.reject(new Error('device lost'))
      return { product: { ...product, plain: { ...product.plain, sample } }, ...others }
    }
    const memory = memoryOf()
    const gpu = await tuneGpu(hardware(), optionsOf(bench, { contests, memory }))
    expect([gpu.choices, gpu.adapter.kernels.isMeasured, memory.entries.size]).toEqual([PLAIN_CHOICES, false, 0])
  })
})

describe('the contests of a device', () => {
  const SIZE = 96

  it('have candidates that give what the plain ones give', async () => {
    const { product, packed } = contestsOn(t.gpu, t.arena, SIZE)
    expect(product.others.map(({ choice }) => choice)).toEqual(['registers-4x4', 'workgroup-64x64'])
    expect(packed === null).toBe(!t.gpu.languageFeatures.has(PACKED_DOT_FEATURE))
    for (const contest of [product, packed].filter((one) => one !== null)) {
      const right = await contest.plain.sample()
      expect(new Set(right).size).toBeGreaterThan(32)
      for (const { sample } of contest.others) {
        const found = await sample()
        const ratios = contest.bounds.map((bound, i) => Math.abs(found[i] - right[i]) / bound)
        expect(Math.max(...ratios)).toBeLessThanOrEqual(1)
      }
      // One product of the sum more or less would change it by 1/16 on average.
      expect(Math.max(...contest.bounds)).toBeLessThan(0.001)
    }
  })

  it('round a block by four threads as by one, where the device has subgroups', async () => {
    const { block } = contestsOn(t.gpu, t.arena, SIZE)
    expect(block === null).toBe(!t.gpu.device.features.has('subgroups'))
    if (!block) return
    const used: string[] = []
    const get: Gpu['pipelines']['get'] = (kernel, overrides) => {
      used.push(kernel.name)
      return t.gpu.pipelines.get(kernel, overrides)
    }
    const listening = contestsOn({ ...t.gpu, pipelines: { ...t.gpu.pipelines, get } }, t.arena, SIZE).block
    used.length = 0
    const found = await listening?.others[0].sample()
    expect(used).toEqual(['fake_quantize_subgroup'])
    expect(found).toEqual(await block.plain.sample())
    expect(new Set(found).size).toBeGreaterThan(8)
    expect(new Set(block.bounds)).toEqual(new Set([0]))
  })

  it('are held on the device', async () => {
    let time = 0
    const now = () => {
      time += 10
      return time
    }
    const contests = (gpu: Gpu, arena: Arena) => contestsOn(gpu, arena, SIZE)
    const { adapter } = await tuneGpu(hardware(), { now, contests, memory: NO_MEMORY, version: '1' })
    // This clock says that all took as long.
    expect(adapter.kernels).toEqual({ choices: PLAIN_CHOICES, isMeasured: true })
  })

  it('leave out a kernel the device refuses, and nothing behind', async () => {
    const get: Gpu['pipelines']['get'] = (kernel, overrides) =>
      t.gpu.pipelines.get(
        kernel.name === 'matmul_nt_4x4' ? { ...kernel, variant: 'broken', code: 'fn other() {}' } : kernel,
        overrides,
      )
    const { product } = contestsOn({ ...t.gpu, pipelines: { ...t.gpu.pipelines, get } }, t.arena, SIZE)
    const { liveBytes } = t.gpu.pool
    const [refused, sound] = product.others
    await expect(refused.sample()).rejects.toMatchObject({ code: 'GP-05' })
    await expect(refused.run(1)).rejects.toMatchObject({ code: 'GP-05' })
    await expect(sound.run(2)).resolves.toBeUndefined()
    expect(t.gpu.pool.liveBytes).toBe(liveBytes)
  })
})
