import { GpuError, UnsupportedError } from '../core/errors'
import { type BufferPool, createBufferPool, type PoolOptions } from './buffer-pool'
import { type KernelChoices, type KernelFacts, PLAIN_CHOICES } from './kernel-choices'
import type { PassClock } from './pass-clock'
import { createPipelineCache, type PipelineCache } from './pipeline-cache'

/** What a report, a badge and an export say about the adapter. */
export interface AdapterFacts {
  readonly vendor: string
  readonly architecture: string
  readonly description: string
  /** A software adapter (SwiftShader, llvmpipe, WARP): correct, slow. */
  readonly isSoftware: boolean
  readonly maxBufferBytes: number
  readonly maxBindingBytes: number
  /** What the device was granted: features by name, and the limits that shape kernels and buffers. */
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  readonly kernels: KernelFacts
}

/** An open device with everything that lives as long as it does. */
export interface Gpu {
  readonly device: GPUDevice
  readonly adapter: AdapterFacts
  readonly pipelines: PipelineCache
  readonly pool: BufferPool
  /** What the browser's WGSL knows beyond the core language, by name; a kernel may require one of these. */
  readonly languageFeatures: ReadonlySet<string>
  readonly choices: KernelChoices
  /** Times every pass where somebody wants to know; absent: nobody does. */
  readonly passClock?: PassClock
  /** Nothing is computed on it (rehearsal.ts): work on the CPU whose result only goes back to it may be left out. */
  readonly isRehearsal: boolean
}

/** Limits we profit from, asked for at the adapter's own value; nothing here is required (docs/performance.md). */
const WANTED_LIMITS = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const

/** Features asked for where the adapter has them: faster kernels and clocks inside a pass. Nothing needs one of them. */
const WANTED_FEATURES = ['subgroups', 'shader-f16', 'timestamp-query'] as const

/** Limits of a device that are shown. */
const SHOWN_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupsPerDimension',
] as const

const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|software|warp|basic render/i

function describeAdapter(adapter: GPUAdapter, device: GPUDevice): AdapterFacts {
  const { info } = adapter
  const { limits } = device
  const isFallback = info.isFallbackAdapter === true
  return {
    vendor: info.vendor || 'unknown',
    architecture: info.architecture || 'unknown',
    description: info.description || info.device || info.architecture || 'unnamed adapter',
    isSoftware: isFallback || SOFTWARE_NAMES.test(`${info.vendor} ${info.architecture} ${info.description}`),
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    features: [...device.features].sort(),
    limits: Object.fromEntries(SHOWN_LIMITS.map((name) => [name, limits[name]])),
    kernels: { choices: PLAIN_CHOICES, isMeasured: false },
  }
}

type Request = Pick<GPUDeviceDescriptor, 'requiredLimits' | 'requiredFeatures'>

async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) throw new UnsupportedError('GP-01', 'WebGPU: expected a GPU adapter, the browser offered none.')
  return adapter
}

/** A device with all that the adapter offers of what we want; a plain one where that is refused. */
async function requestDevice(gpu: GPU): Promise<{ readonly adapter: GPUAdapter; readonly device: GPUDevice }> {
  const open = async (requestOf: (adapter: GPUAdapter) => Request) => {
    // An adapter serves one request, whether it is granted or not.
    const adapter = await requestAdapter(gpu)
    return { adapter, device: await adapter.requestDevice({ label: 'mxscope', ...requestOf(adapter) }) }
  }
  const wished = ({ limits, features }: GPUAdapter): Request => ({
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, limits[name]])),
    requiredFeatures: WANTED_FEATURES.filter((name) => features.has(name)),
  })
  try {
    return await open(wished)
  } catch (refusal) {
    if (refusal instanceof UnsupportedError) throw refusal
    return open(() => ({})).catch((cause) => {
      throw new GpuError('GP-04', `GPU device: the adapter refused one (${cause.message}).`, { cause })
    })
  }
}

/**
 * Opens a device on the best adapter of `gpu`. Requires no optional feature and no more than the default limits. With
 * `maxBytes`, no buffer of it is larger: layers are then taken in pieces as on an adapter with such a limit.
 * Throws UnsupportedError GP-00 without WebGPU, GP-01 without an adapter, GpuError GP-04 when the device is refused.
 */
export async function openGpu(gpu: GPU | undefined, options: PoolOptions = {}): Promise<Gpu> {
  if (!gpu) throw new UnsupportedError('GP-00', 'WebGPU: expected navigator.gpu, found none in this browser.')
  const { adapter, device } = await requestDevice(gpu)
  return {
    device,
    adapter: describeAdapter(adapter, device),
    pipelines: createPipelineCache(device),
    pool: createBufferPool(device, options),
    languageFeatures: new Set(gpu.wgslLanguageFeatures ?? []),
    choices: PLAIN_CHOICES,
    isRehearsal: false,
  }
}
