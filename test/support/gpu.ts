import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { Arena } from '../../src/gpu/arena'
import { type Gpu, openGpu } from '../../src/gpu/device'
import { Recorder } from '../../src/gpu/recorder'

/** Dawn crashes when its objects are garbage-collected, so they stay reachable for the life of the process. */
const keep = globalThis as unknown as { mxscopeDawn?: { navigatorGpu: GPU; gpu?: Gpu } }

async function navigatorGpu(): Promise<GPU> {
  if (typeof navigator !== 'undefined' && 'gpu' in navigator && navigator.gpu) return navigator.gpu
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  return create([]) as GPU
}

export interface TestGpu {
  readonly gpu: Gpu
  readonly arena: Arena
  readonly recorder: Recorder
}

/**
 * Opens the device for a test file and gives each test a fresh arena and recorder. A test fails when a validation or
 * out-of-memory error was raised, or when the arena's buffers did not all come back. No adapter: the file fails.
 */
export function gpuFixture(): TestGpu {
  const state: { gpu?: Gpu; arena?: Arena; recorder?: Recorder; uncaptured: string[] } = { uncaptured: [] }

  beforeAll(async () => {
    keep.mxscopeDawn ??= { navigatorGpu: await navigatorGpu() }
    keep.mxscopeDawn.gpu ??= await openGpu(keep.mxscopeDawn.navigatorGpu)
    state.gpu = keep.mxscopeDawn.gpu
    state.gpu.device.addEventListener('uncapturederror', (event) => state.uncaptured.push(event.error.message))
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
  afterAll(() => state.gpu?.pool.trim())

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
