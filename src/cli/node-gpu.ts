import { existsSync, readdirSync } from 'node:fs'
import { UnsupportedError } from '../core/errors'
import { VERSION_TEXT } from '../core/version'
import { createBufferPool } from '../gpu/buffer-pool'
import { type Gpu, openGpu } from '../gpu/device'
import { tuneGpu } from '../gpu/tuning/tune'
import { createTuningFile } from './tuning-file'

/** The software Vulkan driver that comes with Chromium, for machines without a GPU. */
const SOFTWARE_DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json'

/** Where the Vulkan loader looks for drivers on Linux, besides what its variables name. */
const DRIVER_FOLDERS = ['/etc', '/usr/share', '/usr/local/share', '/usr/local/etc'].map(
  (root) => `${root}/vulkan/icd.d`,
)
const DRIVER_VARIABLES = [
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
  'VK_ADD_DRIVER_FILES',
  'XDG_DATA_DIRS',
  'XDG_DATA_HOME',
]

/** False when the Vulkan loader is sure to find no driver; asking it anyway makes it complain on standard error. */
function mayHaveDriver(): boolean {
  if (process.platform !== 'linux' || DRIVER_VARIABLES.some((name) => process.env[name] !== undefined)) return true
  const folders = [...DRIVER_FOLDERS, `${process.env.HOME ?? ''}/.local/share/vulkan/icd.d`]
  return folders.some((folder) => existsSync(folder) && readdirSync(folder).length > 0)
}

/**
 * Dawn crashes when its objects are garbage-collected, so they stay reachable for the life of the process. One device
 * serves all that is done in it, with what was compiled on it.
 */
const keep = globalThis as unknown as { mxscopeDawn?: unknown[]; mxscopeGpu?: Promise<Gpu> }

let tunes = true

/** Whether a real GPU gets the kernels that are fastest on it (the default), or the plain ones: `--no-tuning`. */
export function setTuning(isOn: boolean): void {
  tunes = isOn
}

async function openFirst(): Promise<Gpu> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const navigatorGpu = create([]) as GPU
  keep.mxscopeDawn ??= []
  keep.mxscopeDawn.push(navigatorGpu)
  const opened = await openGpu(navigatorGpu)
  const now = () => performance.now()
  const gpu = tunes ? await tuneGpu(opened, { now, memory: createTuningFile(), version: VERSION_TEXT }) : opened
  keep.mxscopeDawn.push(gpu)
  void gpu.device.lost.then(forget)
  return gpu
}

function forget(): void {
  delete keep.mxscopeGpu
}

async function tryOpen(maxBytes: number | null): Promise<Gpu> {
  keep.mxscopeGpu ??= openFirst()
  try {
    const gpu = await keep.mxscopeGpu
    return { ...gpu, pool: createBufferPool(gpu.device, maxBytes === null ? {} : { maxBytes }) }
  } catch (error) {
    forget()
    throw error
  }
}

/** Points the Vulkan loader to the software driver, if there is one and nobody has chosen a driver. */
function chooseSoftwareDriver(): boolean {
  if (process.env.VK_DRIVER_FILES !== undefined || !existsSync(SOFTWARE_DRIVER)) return false
  process.env.VK_DRIVER_FILES = SOFTWARE_DRIVER
  return true
}

/**
 * The device of Dawn in this process, with a pool of buffers of its own each time: a real GPU where there is one, else
 * Chromium's software driver, unless VK_DRIVER_FILES already says which driver to use. `maxBytes` limits its buffers as in
 * openGpu. Throws UnsupportedError GP-01 without any.
 */
export async function openNodeGpu(maxBytes: number | null = null): Promise<Gpu> {
  if (!mayHaveDriver()) chooseSoftwareDriver()
  try {
    return await tryOpen(maxBytes)
  } catch (error) {
    if (!(error instanceof UnsupportedError && error.code === 'GP-01')) throw error
    if (chooseSoftwareDriver()) return tryOpen(maxBytes)
    throw new UnsupportedError(
      'GP-01',
      'GPU: expected an adapter, found none. Install a Vulkan driver and loader (Debian: chromium libvulkan1) or set VK_DRIVER_FILES.',
      { cause: error },
    )
  }
}

/** Adapter, as reports carry it. */
export function adapterReport({ adapter }: Gpu) {
  const { vendor, architecture, description, isSoftware } = adapter
  return { vendor, architecture, description, isSoftware }
}
