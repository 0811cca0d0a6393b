import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { openNodeGpu } from '../../src/cli/node-gpu'
import { Arena } from '../../src/gpu/arena'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import { type Gpu, openGpu } from '../../src/gpu/device'
import { PLAIN_CHOICES } from '../../src/gpu/kernel-choices'
import { Recorder } from '../../src/gpu/recorder'

/** Adapters and devices that were given: Dawn crashes when they are garbage-collected, lost ones included. */
const keep = globalThis as unknown as { mxscopeTestDawn?: Promise<GPU>; mxscopeTestKept?: unknown[] }

function kept<T>(value: T): T {
  keep.mxscopeTestKept ??= []
  keep.mxscopeTestKept.push(value)
  return value
}

async function createDawn(flags: readonly string[] = []): Promise<GPU> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const navigatorGpu = kept(create([...flags]) as GPU)
  const requestAdapter = navigatorGpu.requestAdapter.bind(navigatorGpu)
  navigatorGpu.requestAdapter = async (options) => {
    const adapter = kept(await requestAdapter(options))
    if (!adapter) return null
    const requestDevice = adapter.requestDevice.bind(adapter)
    adapter.requestDevice = async (descriptor) => kept(await requestDevice(descriptor))
    return adapter
  }
  return navigatorGpu
}

/** What stands for `navigator.gpu`, for tests that lose devices or have one refused: each is another one. */
export function testNavigatorGpu(): Promise<GPU> {
  keep.mxscopeTestDawn ??= createDawn()
  return keep.mxscopeTestDawn
}

/** A device without a driver: it checks modules and pipelines as any other, compiles them for no machine and runs nothing. */
export async function checkingGpu(): Promise<Gpu> {
  return openGpu(await createDawn(['backend=null']))
}

/** The device of the process under another object: losing it leaves the device to others, and what it compiles is kept. */
function lent(device: GPUDevice): GPUDevice {
  let lose: (info: GPUDeviceLostInfo) => void = () => undefined
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
    lose = resolve
  })
  const own: Partial<Record<string | symbol, unknown>> = {
    lost,
    destroy: () => lose({ reason: 'destroyed', message: 'given back' } as GPUDeviceLostInfo),
    createComputePipeline: (descriptor: GPUComputePipelineDescriptor) => kept(device.createComputePipeline(descriptor)),
    createComputePipelineAsync: async (descriptor: GPUComputePipelineDescriptor) =>
      kept(await device.createComputePipelineAsync(descriptor)),
  }
  return new Proxy(device, {
    get: (target, name) => {
      if (name in own) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (_, name, value) => {
      own[name] = value
      return true
    },
  })
}

/**
 * What stands for `navigator.gpu`, for tests that only compute: every device it gives is the one of the process, with what
 * was compiled on it before. Compiling is most of what the software adapter does in tests.
 */
export async function sharedNavigatorGpu(): Promise<GPU> {
  const { device } = await openNodeGpu()
  const { features, limits, adapterInfo: info } = device
  const adapter = { features, limits, info, requestDevice: async () => lent(device) }
  const { wgslLanguageFeatures } = await testNavigatorGpu()
  return { requestAdapter: async () => adapter, wgslLanguageFeatures } as unknown as GPU
}

/** The device all files of this process share, with a pool of its own for each: peaks and leaks stay in their file. */
async function fileGpu(): Promise<Gpu> {
  const gpu = await openNodeGpu()
  return { ...gpu, choices: PLAIN_CHOICES, pool: createBufferPool(gpu.device, { isStrict: true }) }
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
