import { UnsupportedError } from '../core/errors'

/** Storage buffers by size class, so that a step allocates nothing new once it has run before. */
export interface BufferPool {
  /** A buffer of at least `bytes`, contents undefined. Throws UnsupportedError GP-02 beyond the device's limits. */
  acquire(bytes: number, label: string): GPUBuffer
  release(buffer: GPUBuffer): void
  /** Destroys every buffer that is not in use. */
  trim(): void
  /** Bytes handed out and not released. */
  readonly liveBytes: number
  /** Largest value of liveBytes so far. */
  readonly peakBytes: number
  /** No buffer may be larger. */
  readonly limitBytes: number
  /** The largest buffer handed out so far. */
  readonly largestBytes: number
  /** Uniform blocks waiting for a recorder. */
  readonly uniforms: GPUBuffer[]
}

/** Buffers above this many bytes take hardly more than what is asked for. */
export const EXACT_ABOVE = 16 * 2 ** 20

/** What a buffer of `bytes` takes: powers of two and 1.5 x powers of two up to 16 MiB, multiples of 64 KiB above. */
export function sizeClass(bytes: number): number {
  if (bytes > EXACT_ABOVE) return Math.ceil(bytes / 65_536) * 65_536
  const power = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)))
  const threeQuarters = 0.75 * power
  return bytes <= threeQuarters && threeQuarters % 4 === 0 ? threeQuarters : power
}

/** A number of bytes in MiB, as messages have it. */
export const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 27 ? 1 : 0)} MiB`

/** A pool of `device` whose buffers are no larger than its limits, and than `maxBytes`. */
export function createBufferPool(device: GPUDevice, maxBytes = Number.POSITIVE_INFINITY): BufferPool {
  const free = new Map<number, GPUBuffer[]>()
  const uniforms: GPUBuffer[] = []
  let liveBytes = 0
  let peakBytes = 0
  let largestBytes = 0
  const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize, maxBytes)

  return {
    uniforms,
    acquire(bytes, label) {
      if (bytes > limit) {
        throw new UnsupportedError(
          'GP-02',
          `"${label}" needs a ${mebibytes(bytes)} buffer; ${limit === maxBytes ? 'the limit set is' : 'this adapter allows'} ${mebibytes(limit)}.`,
        )
      }
      const size = Math.min(sizeClass(bytes), limit - (limit % 4))
      liveBytes += size
      peakBytes = Math.max(peakBytes, liveBytes)
      largestBytes = Math.max(largestBytes, size)
      const reused = free.get(size)?.pop()
      if (reused) {
        reused.label = label
        return reused
      }
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
      return device.createBuffer({ label, size, usage })
    },
    release(buffer) {
      liveBytes -= buffer.size
      const list = free.get(buffer.size)
      if (list) list.push(buffer)
      else free.set(buffer.size, [buffer])
    },
    trim() {
      for (const list of free.values()) for (const buffer of list) buffer.destroy()
      free.clear()
    },
    get liveBytes() {
      return liveBytes
    },
    get peakBytes() {
      return peakBytes
    },
    limitBytes: limit,
    get largestBytes() {
      return largestBytes
    },
  }
}
