import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { Arena } from '../../src/gpu/arena'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import { type Gpu, openGpu } from '../../src/gpu/device'
import { Recorder } from '../../src/gpu/recorder'

/**
 * Dawn of this process, and every adapter and device it gave: Dawn crashes when they are garbage-collected, lost devices
 * included, so they stay reachable for the life of the process. One device serves all its files, with what it compiled:
 * compiling is most of what the software adapter does in tests.
 */
interface Dawn {
  readonly navigatorGpu: GPU
  readonly kept: unknown[]
  shared?: Promise<Gpu>
}

const keep = globalThis as unknown as { mxscopeTestDawn?: Promise<Dawn> }

async function createDawn(): Promise<Dawn> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const navigatorGpu = create([]) as GPU
  const kept: unknown[] = []
  const requestAdapter = navigatorGpu.requestAdapter.bind(navigatorGpu)
  navigatorGpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options)
    if (!adapter) return null
    const requestDevice = adapter.requestDevice.bind(adapter)
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor)
      kept.push(adapter, device)
      return device
    }
    return adapter
  }
  return { navigatorGpu, kept }
}

function dawn(): Promise<Dawn> {
  keep.mxscopeTestDawn ??= createDawn()
  return keep.mxscopeTestDawn
}

/** What stands for `navigator.gpu`, for tests that open devices of their own. */
export async function testNavigatorGpu(): Promise<GPU> {
  return (await dawn()).navigatorGpu
}

/** The device all files of this process share, with a pool of its own for each: peaks and leaks stay in their file. */
async function fileGpu(): Promise<Gpu> {
  const all = await dawn()
  all.shared ??= openGpu(all.navigatorGpu)
  const gpu = await all.shared
  return { ...gpu, pool: createBufferPool(gpu.device, { isStrict: true }) }
}

export interface TestGpu {
  readonly gpu: Gpu
  readonly arena: Arena
  readonly recorder: Recorder
}

/**
 * Gives a test file the device of its process, and each test a fresh arena and recorder. A test fails when a validation or
 * out-of-memory error was raised, or when the arena's buffers did not all come back. No adapter: the file fails.
 */
export function gpuFixture(): TestGpu {
  const state: { gpu?: Gpu; arena?: Arena; recorder?: Recorder; uncaptured: string[] } = { uncaptured: [] }

  const onUncaptured = (event: GPUUncapturedErrorEvent) => state.uncaptured.push(event.error.message)

  beforeAll(async () => {
    state.gpu = await fileGpu()
    state.gpu.device.addEventListener('uncapturederror', onUncaptured)
  })
  beforeEach(() => {
    if (!state.gpu) throw new Error('no GPU adapter: install chromium and libvulkan1 (npm test does)')
    state.arena = new Arena(state.gpu)
    state.recorder = new Recorder(state.gpu)
    state.gpu.device.pushErrorScope('out-of-memory')
    state.gpu.device.pushErrorScope('validation')
  })
  afterEach(async () => {
    const device = state.gpu?.device
    const errors = [await device?.popErrorScope(), await device?.popErrorScope()]
    expect(errors.filter(Boolean).map((error) => error?.message)).toEqual([])
    expect(state.uncaptured.splice(0)).toEqual([])
    state.arena?.release()
    expect(state.gpu?.pool.liveBytes).toBe(0)
  })
  afterAll(() => {
    state.gpu?.device.removeEventListener('uncapturederror', onUncaptured)
    state.gpu?.pool.trim()
  })

  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('gpuFixture: read inside a test')
    return value
  }
  return {
    get gpu() {
      return need(state.gpu)
    },
    get arena() {
      return need(state.arena)
    },
    get recorder() {
      return need(state.recorder)
    },
  }
}

/** Text of a file under test/golden. */
export function goldenText(path: string): string {
  return readFileSync(new URL(`../golden/${path}`, import.meta.url), 'utf8')
}
